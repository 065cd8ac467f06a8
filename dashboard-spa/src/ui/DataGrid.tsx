/**
 * A list: skeleton, rows, empty and error states, cursor paging and a column chooser.
 * A thin wrapper, so that the table library can be changed here alone. On phones each row becomes a small card.
 */
import { ActionIcon, Button, Menu, Skeleton, Tooltip } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { IconColumns3 } from "@tabler/icons-react";
import clsx from "clsx";
import { DataTable, type DataTableColumn } from "mantine-datatable";
import type { ReactNode } from "react";
import { count } from "../lib/format";
import css from "./DataGrid.module.css";
import { ProblemNotice } from "./ProblemNotice";

/** Rows drawn while the first page is on its way. */
const SKELETON_ROWS = 8;

export type Column<Row> = {
  id: string;
  title: string;
  render: (row: Row) => ReactNode;
  width?: number | string;
  right?: boolean;
  /** Where it goes in the small card on a phone; left out when absent. */
  phone?: "lead" | "aside" | "meta";
  /** Can't be hidden. */
  fixed?: boolean;
  /** Hidden until chosen. */
  extra?: boolean;
};

/** What the grid needs from an infinite query. */
export type Pages<Row> = {
  data: { pages: { data: Row[] }[] } | undefined;
  error: unknown;
  isPending: boolean;
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
  refetch: () => unknown;
}): Pages<Row> {
  const { data, error, isPending, refetch } = query;
  return {
    data: data && { pages: [{ data }] },
    error,
    isPending,
    hasNextPage: false,
    isFetchingNextPage: false,
    fetchNextPage: () => undefined,
    refetch,
  };
}

type Props<Row> = {
  /** Names the list; the chosen columns are remembered under it. */
  name: string;
  /** What one row is, for the count below the list. */
  noun: [one: string, many: string];
  columns: Column<Row>[];
  query: Pages<Row>;
  rowKey: (row: Row) => string;
  onOpen?: (row: Row) => void;
  actions?: (row: Row) => ReactNode;
  actionsWidth?: number;
  empty: ReactNode;
  /** The filter bar, left of the column chooser. */
  filters?: ReactNode;
  /** Rows only: no bar above, no count below unless there are more. */
  plain?: boolean;
};

export function DataGrid<Row>(props: Props<Row>) {
  const { columns, query, name } = props;
  const phone = useMediaQuery("(max-width: 640px)", false, { getInitialValueInEffect: false });
  const [hidden, setHidden] = useLocalStorage<string[]>({
    key: `trunkline-columns-${name}`,
    defaultValue: columns.filter((column) => column.extra).map((column) => column.id),
    getInitialValueInEffect: false,
  });
  const shown = columns.filter((column) => !hidden.includes(column.id));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const bar = !props.plain && (props.filters || !phone) && (
    <div className={css.bar}>
      {props.filters}
      <span className={css.grow} />
      {!phone && <ColumnChooser columns={columns} hidden={hidden} onChange={setHidden} />}
    </div>
  );

  return (
    <div>
      {bar}
      {query.error && !query.data ? (
        <ProblemNotice error={query.error} retry={() => void query.refetch()} />
      ) : !query.isPending && rows.length === 0 ? (
        <div className={css.table}>{props.empty}</div>
      ) : phone ? (
        <Cards {...props} rows={rows} />
      ) : (
        <Grid {...props} columns={shown} rows={rows} />
      )}
      {rows.length > 0 && (!props.plain || query.hasNextPage) && (
        <More query={query} total={rows.length} noun={props.noun} />
      )}
    </div>
  );
}

/** A row with its key, or the place of one that is on its way. */
type Line<Row> = { id: string; index: number; row: Row | undefined };

function Grid<Row>({
  columns,
  rows,
  query,
  rowKey,
  onOpen,
  actions,
  actionsWidth = 88,
  name,
}: Props<Row> & { rows: Row[] }) {
  const cells: DataTableColumn<Line<Row>>[] = columns.map((column) => ({
    accessor: column.id,
    title: column.title,
    ...(column.width !== undefined && { width: column.width }),
    textAlign: column.right ? "right" : "left",
    render: ({ row, index }) =>
      row ? column.render(row) : <Skeleton h={12} w={`${50 + ((index * 37) % 40)}%`} />,
  }));
  if (actions) {
    cells.push({
      accessor: "actions",
      title: <span className="sr-only">Actions</span>,
      width: actionsWidth,
      render: ({ row }) => row && <div className={css.actions}>{actions(row)}</div>,
    });
  }
  const lines: Line<Row>[] = query.isPending
    ? Array.from({ length: SKELETON_ROWS }, (_, index) => ({ id: String(index), index, row: undefined }))
    : rows.map((row, index) => ({ id: rowKey(row), index, row }));
  return (
    <div className={clsx(css.table, onOpen && css.clickable)} aria-busy={query.isPending} data-grid={name}>
      <DataTable<Line<Row>>
        records={lines}
        columns={cells}
        idAccessor="id"
        minHeight={0}
        borderColor="var(--line)"
        rowBorderColor="var(--line)"
        highlightOnHoverColor="var(--surface-hover)"
        highlightOnHover={onOpen !== undefined}
        {...(onOpen && { onRowClick: ({ record }: { record: Line<Row> }) => open(record.row, onOpen) })}
      />
    </div>
  );
}

/** A click that selected text is not a wish to open the row. */
function open<Row>(row: Row | undefined, onOpen: ((row: Row) => void) | undefined): void {
  if (row !== undefined && !window.getSelection()?.toString()) onOpen?.(row);
}

function Cards<Row>({ columns, rows, query, rowKey, onOpen, actions }: Props<Row> & { rows: Row[] }) {
  const at = (place: Column<Row>["phone"]) => columns.filter((column) => column.phone === place);
  if (query.isPending) {
    return (
      <ul className={css.cards} aria-busy>
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
  return (
    <ul className={css.cards}>
      {rows.map((row) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the link inside is what the keyboard opens
        <li key={rowKey(row)} onClick={() => open(row, onOpen)}>
          <div className={css.lead}>
            {at("lead").map((column) => (
              <span key={column.id}>{column.render(row)}</span>
            ))}
          </div>
          <div className={css.aside}>
            {at("aside").map((column) => (
              <span key={column.id}>{column.render(row)}</span>
            ))}
          </div>
          <div className={css.meta}>
            {at("meta").map((column) => (
              <span key={column.id}>{column.render(row)}</span>
            ))}
            {actions && <span style={{ marginLeft: "auto" }}>{actions(row)}</span>}
          </div>
        </li>
      ))}
    </ul>
  );
}

function More<Row>({ query, total, noun }: { query: Pages<Row>; total: number; noun: [string, string] }) {
  return (
    <div className={css.more}>
      <span className="num">
        {query.hasNextPage ? `First ${count(total, ...noun)}` : count(total, ...noun)}
      </span>
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
