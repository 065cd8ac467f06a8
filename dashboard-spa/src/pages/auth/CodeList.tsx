/** Recovery codes, to copy or to take away as a file. */
import { Button, Group } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { Copy } from "../../ui/basics";
import css from "./Auth.module.css";

/** How long the file's address is kept for the browser to read it, in milliseconds. */
const KEPT = 10_000;

function download(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
  link.download = "trunkline-recovery-codes.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

export function CodeList({ codes }: { codes: string[] }) {
  const text = codes.join("\n");
  return (
    <>
      <ul className={css.codes} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code} className="mono">
            {code}
          </li>
        ))}
      </ul>
      <Group gap={8}>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconDownload size={14} />}
          onClick={() => download(text)}
        >
          Download
        </Button>
        <Copy value={text} label="Copy recovery codes" />
      </Group>
    </>
  );
}
