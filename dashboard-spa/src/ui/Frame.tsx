/** The frame around every page: rail at the left, bottom bar on phones, palette, live connection. */
import { Drawer, Menu, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { Session } from "../api/session";
import { LiveProvider, useLive } from "../live/LiveProvider";
import { EndCallProvider } from "./EndCall";
import css from "./Frame.module.css";
import { Palette } from "./Palette";
import { pages } from "./pages";
import { useLeave } from "./useLeave";

export function Frame({ session }: { session: Session }) {
  const { ended, signOut } = useLeave();
  return (
    <LiveProvider onSessionEnded={ended}>
      <a href="#content" className="skip">
        Skip to content
      </a>
      <div className={css.frame}>
        <nav className={css.rail} aria-label="Main">
          <Brand session={session} />
          <div className={css.nav}>
            <RailItems />
          </div>
          <div className={css.foot}>
            <UserMenu session={session} onSignOut={signOut} />
          </div>
        </nav>
        <div className={css.main}>
          <Connection />
          <main id="content" className={css.content} tabIndex={-1} style={{ outline: "none" }}>
            <EndCallProvider>
              <Outlet />
            </EndCallProvider>
          </main>
        </div>
        <BottomBar session={session} onSignOut={signOut} />
      </div>
      <Palette onSignOut={signOut} />
    </LiveProvider>
  );
}

function Brand({ session }: { session: Session }) {
  return (
    <Link to="/" className={css.brand} aria-label={session.carrier.name}>
      <span className={css.mark} data-letter={session.carrier.name.charAt(0).toUpperCase()} aria-hidden />
      <span className={`${css.label} truncate`}>{session.carrier.name}</span>
    </Link>
  );
}

function RailItems({ onPick }: { onPick?: () => void }) {
  return pages.map(({ to, label, icon: Icon }) => (
    <Link
      key={to}
      to={to}
      className={css.item}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      title={label}
      {...(onPick && { onClick: onPick })}
    >
      <Icon size={17} stroke={1.7} aria-hidden />
      <span className={css.label}>{label}</span>
      {to === "/live" && <LiveCount />}
    </Link>
  ));
}

/** By itself, so that a call that comes or goes draws nothing else of the rail again. */
function LiveCount() {
  const live = useInfiniteQuery(queries.liveCalls);
  const count = live.data?.pages.flatMap((page) => page.data).length ?? 0;
  if (count === 0) return null;
  return (
    <span className={css.badge}>
      {count}
      {live.hasNextPage && "+"}
      <span className="sr-only"> in progress</span>
    </span>
  );
}

function UserMenu({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  return (
    <Menu position="top-start" width={204}>
      <Menu.Target>
        <button type="button" className={css.user}>
          <IconUserCircle size={20} stroke={1.6} aria-hidden />
          <span className={css.who}>
            <span className="truncate">{session.user.name}</span>{" "}
            <span className="dim small truncate">{session.user.email}</span>
          </span>
          <span className="sr-only">: theme and sign-out</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <ThemeItems />
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={onSignOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function ThemeItems() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const themes = [
    { value: "light", label: "Light" },
    { value: "dark", label: "Dark" },
    { value: "auto", label: "As the system" },
  ] as const;
  return (
    <>
      <Menu.Label>Theme</Menu.Label>
      <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as typeof colorScheme)}>
        {themes.map(({ value, label }) => (
          <Menu.RadioItem key={value} value={value}>
            {label}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
    </>
  );
}

function BottomBar({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const [opened, sheet] = useDisclosure(false);
  return (
    <>
      <nav className={css.bottom} aria-label="Main, short">
        {pages
          .filter((page) => "phone" in page)
          .map(({ to, label, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={css.tab}
              activeOptions={{ exact: to === "/", includeSearch: false }}
            >
              <Icon size={20} stroke={1.7} aria-hidden />
              {label === "Phone numbers" ? "Numbers" : label}
            </Link>
          ))}
        <button type="button" className={css.tab} onClick={sheet.open}>
          <IconDots size={20} stroke={1.7} aria-hidden />
          More
        </button>
      </nav>
      <Drawer
        opened={opened}
        onClose={sheet.close}
        position="bottom"
        size="auto"
        title={session.carrier.name}
      >
        <RailItems onPick={sheet.close} />
        <div className={css.foot}>
          <UserMenu session={session} onSignOut={onSignOut} />
        </div>
      </Drawer>
    </>
  );
}

/** Says when what is on screen may be old. */
function Connection() {
  const { state } = useLive();
  if (state !== "waiting") return null;
  return (
    <div className={css.offline} role="status">
      Live updates are interrupted. Connecting again…
    </div>
  );
}
