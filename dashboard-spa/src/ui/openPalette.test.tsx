import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { palette, paletteKey, usePaletteKeys } from "./openPalette";

function Page({ over }: { over?: "dialog" | "palette" }) {
  usePaletteKeys();
  return (
    <>
      <input aria-label="On the page" />
      {over && (
        <div data-palette={over === "palette" || undefined}>
          <div role="dialog" aria-modal="true">
            <input aria-label="Over it" />
            <button type="button">Done</button>
          </div>
        </div>
      )}
    </>
  );
}

const open = vi.spyOn(palette, "open");

beforeEach(() => void open.mockClear());
afterEach(cleanup);

describe("the palette", () => {
  it("opens from a field, where a slash is a character", async () => {
    render(<Page />);
    const field = screen.getByLabelText<HTMLInputElement>("On the page");
    await userEvent.type(field, "/");
    expect(field.value).toBe("/");
    expect(open).not.toHaveBeenCalled();
    await userEvent.type(field, "{Control>}k{/Control}");
    expect(open).toHaveBeenCalled();
  });

  it("does not open over a dialog, by neither key", async () => {
    render(<Page over="dialog" />);
    await userEvent.type(screen.getByLabelText("Over it"), "{Control>}k{/Control}");
    screen.getByText("Done").focus();
    await userEvent.keyboard("/");
    expect(open).not.toHaveBeenCalled();
  });

  it("opens again from its own field, while it closes", async () => {
    render(<Page over="palette" />);
    await userEvent.type(screen.getByLabelText("Over it"), "{Control>}k{/Control}");
    expect(open).toHaveBeenCalled();
  });

  it("leaves Control-K to the fields of a Mac", () => {
    const of = (agent: string) => paletteKey(agent).hotkey;
    expect(of("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15")).toBe("meta + K");
    expect(of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe("ctrl + K");
  });
});
