/** The top bar: where you are, one primary action, search. */
import { Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { visible } from "../lib/visible";
import css from "./Frame.module.css";
import { openPalette, paletteKey } from "./openPalette";

type Props = {
  title: ReactNode;
  name?: string;
  parent?: { label: string; link: LinkProps };
  children?: ReactNode;
};

const { shown } = paletteKey(navigator.userAgent);

export function PageHead({ title: given, name, parent, children }: Props) {
  const title = typeof given === "string" ? visible(given) : given;
  const spoken = name ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = spoken ? `${spoken} · Trunkline` : "Trunkline";
  }, [spoken]);
  return (
    <header className={css.head}>
      <div className={css.titles}>
        {parent && (
          <>
            <Link {...parent.link} className={css.crumb}>
              {parent.label}
            </Link>
            <span className="dim" aria-hidden>
              /
            </span>
          </>
        )}
        <Title order={1} fz={16} className="truncate">
          {title}
        </Title>
      </div>
      <button type="button" className={css.search} onClick={openPalette} aria-label={`Search ${shown}`}>
        <IconSearch size={15} aria-hidden />
        <span>Search</span> <kbd>{shown}</kbd>
      </button>
      {children}
    </header>
  );
}
