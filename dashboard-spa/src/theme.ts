/**
 * The look: neutral slate surfaces, one accent, 14 px Inter, 1 px borders, radius 6.
 * Mantine's defaults miss AA contrast in places; the shades and variables here are the ones measured with axe.
 */
import {
  ActionIcon,
  Badge,
  Button,
  type CSSVariablesResolver,
  createTheme,
  Drawer,
  Fieldset,
  InputWrapper,
  type MantineColorsTuple,
  Menu,
  Modal,
  MultiSelect,
  type OptionsFilter,
  PasswordInput,
  SegmentedControl,
  Select,
  Skeleton,
  Switch,
  Table,
  Tabs,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { fitting } from "./lib/plain";

const slate: MantineColorsTuple = [
  "#f8fafc",
  "#f1f5f9",
  "#e2e8f0",
  "#cbd5e1",
  "#a3b1c4",
  "#78879c",
  "#536174",
  "#334155",
  "#1e293b",
  "#0f172a",
];

const night: MantineColorsTuple = [
  "#d6dde7",
  "#b4bfcd",
  "#95a2b3",
  "#6b788a",
  "#2a333f",
  "#202833",
  "#171e27",
  "#10161d",
  "#0b1016",
  "#070a0e",
];

const teal: MantineColorsTuple = [
  "#effcf9",
  "#cff7ee",
  "#9fecdf",
  "#66dccb",
  "#35c4b3",
  "#1aa698",
  "#0c857b",
  "#0b6f68",
  "#0d5954",
  "#0e4a46",
];

const red: MantineColorsTuple = [
  "#fef2f2",
  "#fee2e2",
  "#fecaca",
  "#fca5a5",
  "#f87171",
  "#ef4444",
  "#d92626",
  "#b91c1c",
  "#991b1b",
  "#7f1d1d",
];

/** What is chosen from is found without its accents as well, and what begins with what is typed comes first. */
const filter: OptionsFilter = ({ options, search, limit }) =>
  fitting(
    options.filter((option) => "label" in option),
    search,
    ({ label }) => label,
  ).slice(0, limit);

const small = { defaultProps: { size: "sm" } };

export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  primaryColor: "teal",
  primaryShade: { light: 7, dark: 7 },
  colors: { gray: slate, dark: night, teal, red },
  black: "#131c2b",
  defaultRadius: 6,
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  fontSizes: { xs: "12px", sm: "14px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.4" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "20px", lineHeight: "28px" },
      h2: { fontSize: "15px", lineHeight: "22px" },
      h3: { fontSize: "14px", lineHeight: "20px" },
    },
  },
  components: {
    Text: Text.extend(small),
    Button: Button.extend({ defaultProps: { size: "sm" }, styles: { root: { fontWeight: 500 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    TextInput: TextInput.extend(small),
    PasswordInput: PasswordInput.extend(small),
    Textarea: Textarea.extend(small),
    Select: Select.extend({ defaultProps: { size: "sm", checkIconPosition: "right", filter } }),
    MultiSelect: MultiSelect.extend({ defaultProps: { size: "sm", filter } }),
    TagsInput: TagsInput.extend(small),
    InputWrapper: InputWrapper.extend({ styles: { label: { marginBottom: 4 } } }),
    Switch: Switch.extend({ defaultProps: { size: "sm", withThumbIndicator: false } }),
    SegmentedControl: SegmentedControl.extend({
      defaultProps: { size: "sm" },
      // Where there is no room for it in one line it has two; nothing of it is cut.
      styles: { label: { fontWeight: 450, whiteSpace: "normal" } },
    }),
    Badge: Badge.extend({ defaultProps: { variant: "default", tt: "none", fw: 500 } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, transitionProps: { duration: 100 } } }),
    Menu: Menu.extend({
      defaultProps: {
        shadow: "sm",
        transitionProps: { duration: 100 },
        // It would be a part of the menu that is no item of it.
        withInitialFocusPlaceholder: false,
      },
    }),
    Fieldset: Fieldset.extend({ styles: { root: { marginInline: 0 } } }),
    Modal: Modal.extend({
      styles: { title: { fontWeight: 600 } },
      defaultProps: {
        centered: true,
        transitionProps: { duration: 120 },
        closeButtonProps: { "aria-label": "Close" },
        overlayProps: { backgroundOpacity: 0.35 },
      },
    }),
    Drawer: Drawer.extend({
      styles: { title: { fontWeight: 600 } },
      defaultProps: {
        transitionProps: { duration: 140 },
        closeButtonProps: { "aria-label": "Close" },
        overlayProps: { backgroundOpacity: 0.35 },
      },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 8 } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Skeleton: Skeleton.extend({ defaultProps: { radius: 4 } }),
  },
});

/** Colours Mantine derives itself with too little contrast, or that only this product has. */
export const variables: CSSVariablesResolver = () => ({
  variables: {
    "--status-green": "#15803d",
    "--status-amber": "#b45309",
    "--status-red": "#c52222",
    "--status-grey": "#64748b",
  },
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1b2536",
    "--mantine-color-dimmed": "#536174",
    "--mantine-color-placeholder": "#66748a",
    "--mantine-color-error": "#b91c1c",
    "--mantine-color-anchor": "#0b6f68",
    "--mantine-color-default-border": "#dbe2ea",
    "--surface-rail": "#f6f8fa",
    "--surface-raised": "#ffffff",
    "--surface-sunken": "#f6f8fa",
    "--surface-hover": "#f3f6f9",
    "--surface-active": "#e6f3f1",
    "--text-active": "#0d5954",
    "--line": "#e4e9ef",
    "--line-strong": "#cbd5e1",
    "--fresh": "#e2f5f1",
  },
  dark: {
    "--mantine-color-body": "#10161d",
    "--mantine-color-text": "#d6dde7",
    "--mantine-color-dimmed": "#95a2b3",
    "--mantine-color-placeholder": "#8592a3",
    "--mantine-color-error": "#f98080",
    "--mantine-color-anchor": "#4fd1c1",
    "--mantine-color-default-border": "#2f3946",
    "--surface-rail": "#0c1117",
    "--surface-raised": "#141b23",
    "--surface-sunken": "#0c1117",
    "--surface-hover": "#171f28",
    "--surface-active": "#14302f",
    "--text-active": "#8ce5d8",
    "--line": "#222b35",
    "--line-strong": "#364250",
    "--fresh": "#14302f",
    "--status-green": "#4ade80",
    "--status-amber": "#fbbf24",
    "--status-red": "#f87171",
    "--status-grey": "#94a3b8",
  },
});
