/** The top bar: where you are, one primary action, search. */
import { Title } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { visible } from "../lib/visible";
import css from "./Frame.module.css";

type Props = {
  title: ReactNode;
  name?: string;
  parent?: { label: string; link: LinkProps };
  children?: ReactNode;
};

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
      <button type="button" className={css.search} onClick={spotlight.open} aria-label="Search Ctrl K">
        <IconSearch size={15} aria-hidden />
        <span>Search</span> <kbd>Ctrl K</kbd>
      </button>
      {children}
    </header>
  );
}
