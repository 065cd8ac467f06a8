/** One row of a list, in a table or as a card. It is drawn again when it changes, and not because another one does. */
import { memo, type ReactNode } from "react";
import type { Column } from "./DataGrid";
import css from "./DataGrid.module.css";

type Props<Row> = {
  row: Row;
  gone: boolean;
  columns: Column<Row>[];
  actions: ((row: Row) => ReactNode) | undefined;
  /** Stays the same function as long as the list is there. */
  onOpen: (row: Row) => void;
};

function Line<Row>({ row, gone, columns, actions, onOpen }: Props<Row>) {
  return (
    <tr data-gone={gone || undefined} onClick={() => onOpen(row)}>
      {columns.map((column) => (
        <td key={column.id} data-right={column.right} data-shrink={column.shrink}>
          {column.render(row)}
        </td>
      ))}
      {actions && (
        <td>
          <div className={css.actions}>{actions(row)}</div>
        </td>
      )}
    </tr>
  );
}

function Card<Row>({ row, gone, columns, actions, onOpen }: Props<Row>) {
  const at = (place: Column<Row>["phone"]) =>
    columns
      .filter((column) => column.phone === place)
      .map((column) => <span key={column.id}>{column.render(row)}</span>);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link inside is what the keyboard opens
    <li data-gone={gone || undefined} onClick={() => onOpen(row)}>
      <div className={css.lead}>{at("lead")}</div>
      <div className={css.aside}>{at("aside")}</div>
      <div className={css.meta}>
        {at("meta")}
        {actions && <span style={{ marginLeft: "auto" }}>{actions(row)}</span>}
      </div>
    </li>
  );
}

export const TableRow = memo(Line) as typeof Line;
export const CardRow = memo(Card) as typeof Card;
