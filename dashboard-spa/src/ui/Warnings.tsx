/** What the server warns of about a thing that works otherwise. */
import { Notice } from "./Notice";

export function Warnings({ of }: { of: { warnings?: string[] } }) {
  if (!of.warnings?.length) return null;
  return (
    <Notice tone="amber" title="Not everything is as one would expect">
      {of.warnings.map((warning) => (
        <div key={warning}>{warning}</div>
      ))}
    </Notice>
  );
}
