/**
 * A list: skeleton, rows, empty and error states, cursor paging, totals, order and a column chooser. Its head and foot stay in sight, and
 * its rows stand still while a hand is on them. On phones each row becomes a small card, and the foot comes after the last one.
 */
import { ActionIcon, Button, Menu, NativeSelect, Skeleton, Tooltip } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { IconArrowDown, IconArrowUp, IconColumns3, IconSelector } from "@tabler/icons-react";
import clsx from "clsx";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import { flushSync } from "react-dom";
import { count } from "../lib/format";
import type { HeldLine } from "../lib/held";
import { byAge, type Counted as CountedPage, directionOf, nextOrder, ordersOf, total } from "../lib/order";
import css from "./DataGrid.module.css";
import { CardRow, TableRow } from "./DataRow";
import { News } from "./News";
import { ProblemNotice } from "./ProblemNotice";
import { useHeld } from "./useHeld";

/** Rows drawn while the first page is on its way. */
const SKELETON_ROWS = 8;

export type Column<Row> = {
  id: string;
  title: string;
  render: (row: Row) => ReactNode;
  width?: number;
  right?: boolean;
  /** The API's word for the order by it, where there is one. */
  order?: string;
  /** Text that may be cut where there is little room; the rest of a row never is. */
  shrink?: boolean;
  /** Where it goes in the small card on a phone; left out when absent. */
  phone?: "lead" | "aside" | "meta";
  /** Can't be hidden. */
  fixed?: boolean;
  /** Hidden until chosen. */
  extra?: boolean;
};

/** What the grid needs from an infinite query. */
export type Pages<Row> = {
  data: { pages: ({ data: Row[] } & CountedPage)[] } | undefined;
  error: unknown;
  isPending: boolean;
  isFetching: boolean;
  isPlaceholderData?: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
  refetch: () => unknown;
};

/** A list that comes in one piece, as one page. */
export function onePage<Row>(query: {
  data: Row[] | undefined;
  error: unknown;
  isPending: boolean;
  isFetching?: boolean;
  refetch: () => unknown;
}): Pages<Row> {
  const { data, error, isPending, isFetching = false, refetch } = query;
  return {
    data: data && { pages: [{ data }] },
    error,
    isPending,
    isFetching,
    hasNextPage: false,
    isFetchingNextPage: false,
    fetchNextPage: () => undefined,
    refetch,
  };
}

/** The pages of a list that can't be asked for. */
export const nothing: Pages<never> = onePage({
  data: [],
  error: null,
  isPending: false,
  refetch: () => undefined,
});

type Props<Row> = {
  /** Names the list; the chosen columns are remembered under it. */
  name: string;
  /** What one row is, for the count below the list. */
  noun: [one: string, many: string];
  columns: Column<Row>[];
  query: Pages<Row>;
  rowKey: (row: Row) => string;
  /** The order the list is in, where it is not newest first; `onOrder` is told another. */
  order?: string | undefined;
  onOrder?: (order: string | undefined) => void;
  /** What was asked for, where that can change: filters and order. */
  scope?: unknown;
  /**
   * A hook that says how rows are now that the list has them no more; the same one each time. Without it they stay as they
   * last were, and nothing can be done with them.
   */
  useAfterwards?: (rows: Row[]) => (row: Row) => Row;
  /** What became of rows that the list has no more, in a word: "gone" unless the page knows better. */
  gone?: string;
  onOpen?: (row: Row) => void;
  /** The same function each time where many rows come and go: with another one every row is drawn again. */
  actions?: (row: Row) => ReactNode;
  actionsWidth?: number;
  empty: ReactNode;
  /** The filter bar, left of the column chooser. */
  filters?: ReactNode;
  /** Rows only: no bar above, no count below unless there are more. */
  plain?: boolean;
};

type Shown<Row> = Props<Row> & { lines: HeldLine<Row>[]; open: (row: Row) => void };

export function DataGrid<Row>(props: Props<Row>) {
  const { columns, query, name, rowKey, onOpen, useAfterwards = useAsTheyWere } = props;
  const phone = useMediaQuery("(max-width: 640px)", false, { getInitialValueInEffect: false });
  const [hidden, setHidden] = useLocalStorage<string[]>({
    key: `trunkline-columns-${name}`,
    defaultValue: columns.filter((column) => column.extra).map((column) => column.id),
    getInitialValueInEffect: false,
  });
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const first = query.data?.pages[0];
  const held = useHeld(rows, rowKey, {
    scope: JSON.stringify([props.scope, query.isPlaceholderData ?? false]),
    more: query.hasNextPage,
    total: first?.total_exact === false ? undefined : first?.total,
    fetching: query.isFetching,
  });
  const { lines, waiting, gone } = held;
  const afterwards = useAfterwards(lines.filter(hasLeft).map((line) => line.row));
  const box = useRef<HTMLDivElement>(null);
  const show = () => {
    flushSync(held.release);
    if (waiting > 0) reveal(box.current, held.firstNew);
  };
  // That there was nothing the last time is no reason to say so before it is known.
  const pending = query.isPending || (lines.length === 0 && !held.arrived);
  const wanted = useMemo(
    () => (phone ? columns : columns.filter((column) => !hidden.includes(column.id))),
    [phone, columns, hidden],
  );
  const shown: Shown<Row> = {
    ...props,
    open: useOpen(onOpen),
    columns: wanted,
    query: { ...query, isPending: pending },
    lines: lines.map((line) => (hasLeft(line) ? { ...line, row: afterwards(line.row) } : line)),
  };
  const bar = !props.plain && (props.filters || !phone) && (
    <div className={css.bar}>
      {props.filters}
      <span className={css.grow} />
      {!phone && <ColumnChooser columns={columns} hidden={hidden} onChange={setHidden} />}
    </div>
  );

  return (
    <div ref={box} className={css.list}>
      {bar}
      <div {...held.hand}>
        {query.error && !query.data ? (
          <ProblemNotice error={query.error} retry={() => void query.refetch()} />
        ) : !pending && lines.length === 0 ? (
          <div className={css.table}>{props.empty}</div>
        ) : phone ? (
          <Cards {...shown} />
        ) : (
          <Grid {...shown} />
        )}
        {lines.length > 0 && (
          <Foot query={query} shown={lines.length} gone={gone} plain={props.plain} noun={props.noun}>
            <News {...held} word={props.gone} onShow={show} />
          </Foot>
        )}
      </div>
    </div>
  );
}

function Grid<Row>(props: Shown<Row>) {
  const { columns, lines, query, onOpen, open, actions, actionsWidth = 88, name } = props;
  const widths = (column: Column<Row>) => (column.width === undefined ? {} : { width: column.width });
  return (
    <div className={clsx(css.table, onOpen && css.clickable)} aria-busy={query.isPending} data-grid={name}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} style={widths(column)} {...props} />
            ))}
            {actions && (
              <th scope="col" style={{ width: actionsWidth }}>
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {query.isPending ? (
            <SkeletonRows columns={columns} actions={actions !== undefined} />
          ) : (
            lines.map(({ key, row, gone }) => (
              <TableRow
                key={key}
                row={row}
                gone={gone}
                columns={columns}
                actions={actionsOf(props, gone)}
                onOpen={open}
              />
            ))
          )}
        </tbody>
      </table>
    </div>
  );
}

/** The head of a column; a button where the list can be ordered by it. */
function Head<Row>(props: Shown<Row> & { column: Column<Row>; style: { width?: number } }) {
  const { column, style, order, onOrder } = props;
  if (!onOrder || column.order === undefined) {
    return (
      <th scope="col" data-right={column.right} style={style}>
        {column.title}
      </th>
    );
  }
  const direction = directionOf(column.order, order);
  const Icon =
    direction === "ascending" ? IconArrowUp : direction === "descending" ? IconArrowDown : IconSelector;
  return (
    <th scope="col" data-right={column.right} style={style} aria-sort={direction ?? "none"}>
      <button
        type="button"
        className={css.order}
        onClick={() => onOrder(nextOrder(column.order ?? byAge, order))}
      >
        {column.title}
        <Icon size={13} stroke={1.8} aria-hidden={true} data-idle={direction === undefined || undefined} />
      </button>
    </th>
  );
}

function SkeletonRows<Row>({ columns, actions }: { columns: Column<Row>[]; actions: boolean }) {
  return Array.from({ length: SKELETON_ROWS }, (_, index) => index).map((index) => (
    <tr key={index}>
      {columns.map((column) => (
        <td key={column.id}>
          <Skeleton h={12} w={`${50 + ((index * 37) % 40)}%`} />
        </td>
      ))}
      {actions && <td />}
    </tr>
  ));
}

const hasLeft = ({ gone, below }: { gone: boolean; below: boolean }) => gone || below;

/** Brings a row of the list into sight from above; the first one with all that is over it. */
function reveal(list: HTMLElement | null, index: number): void {
  const row = list?.querySelectorAll("tbody > tr, ul > li")[index];
  const target = index === 0 ? list : row;
  if (!row || !target) return;
  const { top, bottom } = row.getBoundingClientRect();
  const { scrollPaddingTop } = getComputedStyle(document.documentElement);
  const isSeen = top >= Number.parseFloat(scrollPaddingTop) && bottom <= window.innerHeight;
  if (!isSeen) target.scrollIntoView({ block: "start" });
}

/** Opens a row. A click that selected text is no wish to. */
function useOpen<Row>(onOpen: ((row: Row) => void) | undefined): (row: Row) => void {
  const latest = useRef(onOpen);
  latest.current = onOpen;
  return useCallback((row) => {
    if (!window.getSelection()?.toString()) latest.current?.(row);
  }, []);
}

/** What can be done with a row; with one that is gone only what its page has told the state of. */
function actionsOf<Row>({ actions, useAfterwards }: Props<Row>, gone: boolean): Props<Row>["actions"] {
  return actions && gone && !useAfterwards ? nothingToDo : actions;
}

const nothingToDo = () => null;

const useAsTheyWere = () => asItWas;
const asItWas = <Row,>(row: Row): Row => row;

function Cards<Row>(props: Shown<Row>) {
  const { columns, lines, query, open, name, noun, order, onOrder } = props;
  if (query.isPending) {
    return (
      <ul className={css.cards} aria-busy={true}>
        {Array.from({ length: 5 }, (_, index) => index).map((index) => (
          <li key={index}>
            <Skeleton h={14} w="60%" />
            <Skeleton h={12} w={56} />
            <Skeleton h={12} w="80%" className={css.meta} />
          </li>
        ))}
      </ul>
    );
  }
  const list = (
    <ul>
      {lines.map(({ key, row, gone }) => (
        <CardRow
          key={key}
          row={row}
          gone={gone}
          columns={columns}
          actions={actionsOf(props, gone)}
          onOpen={open}
        />
      ))}
    </ul>
  );
  return (
    <div className={css.cards} data-grid={name}>
      <div className={css.cardsHead}>
        {noun[1]}
        {onOrder && (
          <NativeSelect
            size="xs"
            variant="unstyled"
            aria-label="Order"
            className={css.orders}
            data={ordersOf(columns)}
            value={order ?? `-${byAge}`}
            onChange={({ currentTarget: { value } }) => onOrder(value === `-${byAge}` ? undefined : value)}
          />
        )}
      </div>
      {list}
    </div>
  );
}

type Count<Row> = {
  query: Pages<Row>;
  /** Rows on screen, and how many of them the list has no more. */
  shown: number;
  gone: number;
  noun: [string, string];
};

/**
 * `50 numbers`, `First 50 of 420 numbers`, or `First 50 of 10,000+ numbers` where nobody counted further. A list that has all it
 * can have counts what is on screen, with what a hand holds there although it is gone.
 */
function Counted<Row>({ query, shown: lines, gone, noun }: Count<Row>) {
  const shown = query.hasNextPage ? lines - gone : lines;
  const of = query.hasNextPage ? total(query.data?.pages[0], noun) : undefined;
  return (
    <span className={clsx(css.counted, "num")} role="status">
      {of === undefined
        ? `${query.hasNextPage ? "First " : ""}${count(shown, ...noun)}`
        : `First ${shown.toLocaleString("en-GB")} of ${of}`}
    </span>
  );
}

/** The line below a list: how much it has, what waits, and more of it. On phones it stays in sight only while something waits. */
function Foot<Row>(props: Count<Row> & { plain?: boolean | undefined; children: ReactNode }) {
  const { query, plain = false, children } = props;
  const bare = plain && !query.hasNextPage;
  return (
    <div className={css.foot} data-foot data-bare={bare || undefined}>
      {bare ? <span /> : <Counted {...props} />}
      {children}
      {query.hasNextPage && (
        <Button
          size="xs"
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </div>
  );
}

function ColumnChooser<Row>(props: {
  columns: Column<Row>[];
  hidden: string[];
  onChange: (hidden: string[]) => void;
}) {
  const { columns, hidden, onChange } = props;
  const chosen = columns.filter((column) => !column.fixed);
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon size={32} variant="default" aria-label="Choose columns">
            <IconColumns3 size={16} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.CheckboxGroup
          value={chosen.filter(({ id }) => !hidden.includes(id)).map(({ id }) => id)}
          onChange={(shown) => onChange(chosen.filter(({ id }) => !shown.includes(id)).map(({ id }) => id))}
        >
          {chosen.map(({ id, title }) => (
            <Menu.CheckboxItem key={id} value={id}>
              {title}
            </Menu.CheckboxItem>
          ))}
        </Menu.CheckboxGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
