/** The pages of the rail, in its order. The rail, the sheet on phones and the palette all read this table. */
import {
  IconBuilding,
  IconGauge,
  IconHash,
  IconHistory,
  IconPhoneCall,
  IconPhoneDone,
  IconPlugConnected,
  IconSettings,
  IconUsers,
  type TablerIcon,
} from "@tabler/icons-react";

export type PageEntry = { to: string; label: string; icon: TablerIcon; keywords: string; phone?: boolean };

export const pages = [
  { to: "/", label: "Overview", icon: IconGauge, keywords: "home checklist start", phone: true },
  { to: "/live", label: "Live calls", icon: IconPhoneCall, keywords: "now active hang up", phone: true },
  { to: "/calls", label: "Calls", icon: IconPhoneDone, keywords: "history log cdr", phone: true },
  {
    to: "/numbers",
    label: "Phone numbers",
    icon: IconHash,
    keywords: "did inventory configure voice url",
    phone: true,
  },
  { to: "/trunks", label: "SIP trunks", icon: IconPlugConnected, keywords: "inbound outbound dial string" },
  { to: "/accounts", label: "Accounts", icon: IconBuilding, keywords: "customers auth token sid" },
  { to: "/team", label: "Team", icon: IconUsers, keywords: "users people two-factor" },
  { to: "/audit", label: "Audit", icon: IconHistory, keywords: "log changes who" },
  {
    to: "/settings",
    label: "Settings",
    icon: IconSettings,
    keywords: "carrier name country api keys password sessions",
  },
] as const satisfies readonly PageEntry[];
