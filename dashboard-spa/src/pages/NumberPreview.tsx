/** What would be added, as the server reads it: which number a national form is depends on the carrier's countries. */
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Problem } from "../api/problem";
import { previewPhoneNumber } from "../client/sdk.gen";
import type { PhoneNumberPreview, PhoneNumberPreviewRequest } from "../client/types.gen";
import { countryName, grouped } from "../lib/number";
import * as check from "../lib/validate";

type Props = { number: string; shortCode: boolean };

/** Wait for the next keystroke this long before asking, in milliseconds. */
const TYPING = 150;
/** It has its room before it comes: three lines at a phone's width. */
const ROOM = { display: "block", minHeight: 51, lineHeight: "17px" } as const;

export function NumberPreview({ number, shortCode }: Props) {
  const body: PhoneNumberPreviewRequest = { number: number.trim(), ...(shortCode && { type: "short_code" }) };
  const wrong = (shortCode ? check.shortCode : check.phoneNumber)(number);
  const now = JSON.stringify(body);
  const [asked] = useDebouncedValue(now, TYPING);
  const preview = useQuery({
    queryKey: ["number-preview", asked],
    queryFn: () => previewPhoneNumber({ body: JSON.parse(asked) as PhoneNumberPreviewRequest }),
    enabled: wrong === null && asked === now,
    staleTime: 60_000,
    retry: false,
  });
  const current = wrong === null && asked === now;
  const refused = preview.error instanceof Problem ? preview.error.fields[0]?.message : undefined;
  return (
    <output className="small" style={ROOM} aria-label="What will be added">
      {current && preview.data && <span className="dim">{said(preview.data)}</span>}
      {current && refused && <span style={{ color: "var(--mantine-color-error)" }}>{refused}</span>}
    </output>
  );
}

function said({ number, country, type }: PhoneNumberPreview): string {
  if (type === "short_code") return `Will be added as the short code ${number}.`;
  const place = country ? `, ${countryName(country)}` : "";
  const unknown =
    type === "unknown" ? " It is in no range known to be assigned: look whether it was mistyped." : "";
  return `Will be added as ${grouped(number)}${place}.${unknown}`;
}
