import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { CodeField } from "./CodeField";

function Form({ recovery, sent }: { recovery: boolean; sent: string[] }) {
  const [code, setCode] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        sent.push(code);
      }}
    >
      <CodeField label="Code" recovery={recovery} value={code} onChange={setCode} />
    </form>
  );
}

function show(recovery: boolean) {
  const sent: string[] = [];
  render(
    <MantineProvider env="test">
      <Form recovery={recovery} sent={sent} />
    </MantineProvider>,
  );
  return { sent, user: userEvent.setup(), field: screen.getByLabelText("Code") };
}

afterEach(cleanup);

describe("a field for a code", () => {
  for (const recovery of [false, true]) {
    const where = recovery ? "where a recovery code does as well" : "where only the app's code does";
    it(`sends six digits once, typed or pasted, ${where}`, async () => {
      const { sent, user, field } = show(recovery);
      await user.type(field, "12345");
      expect(sent).toEqual([]);
      await user.type(field, "6");
      expect(sent).toEqual(["123456"]);
      await user.clear(field);
      await user.click(field);
      await user.paste(" 654 321 ");
      expect(sent).toEqual(["123456", "654321"]);
    });
  }

  it("leaves a recovery code as it is, and its sending to whoever typed it", async () => {
    const { sent, user, field } = show(true);
    await user.type(field, "2345-6abc-defg-h789");
    expect((field as HTMLInputElement).value).toBe("2345-6abc-defg-h789");
    expect(sent).toEqual([]);
    await user.keyboard("{Enter}");
    expect(sent).toEqual(["2345-6abc-defg-h789"]);
  });
});
