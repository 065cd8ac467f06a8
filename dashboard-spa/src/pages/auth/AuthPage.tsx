/** The frame of the pages before the dashboard: name, one panel, one way on. */
import { Text, Title } from "@mantine/core";
import clsx from "clsx";
import { type ReactNode, useEffect } from "react";
import css from "./Auth.module.css";

type Props = {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  foot?: ReactNode;
  wide?: boolean;
  brand?: string;
};

export function AuthPage({ title, lead, children, foot, wide, brand = "Trunkline" }: Props) {
  useEffect(() => {
    document.title = `${title} · ${brand}`;
  }, [title, brand]);
  return (
    <main className={clsx(css.page, wide && css.wide)}>
      <div className={css.box}>
        <div className={css.brand}>
          <img src="/favicon.svg" alt="" width={26} height={26} />
          {brand}
        </div>
        <div className={css.panel}>
          <Title order={1} mb={lead ? 4 : 16}>
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" mb={20}>
              {lead}
            </Text>
          )}
          {children}
        </div>
        {foot && <p className={css.foot}>{foot}</p>}
      </div>
    </main>
  );
}
