import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import { useProblemForm } from "../lib/forms";
import { CodeField, RecoveryCodeField } from "./CodeField";

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

const REFUSAL = "This code is wrong or was used before; wait for the next one.";

/** A form whose server takes one code only. */
function Judged({
  right,
  kind,
  sent,
  until,
}: {
  right: string;
  kind: Kind;
  sent: string[];
  until: Promise<void>;
}) {
  const { form, busy, onSubmit } = useProblemForm(
    { initialValues: { code: "" }, checkOnLeave: false },
    async ({ code }) => {
      sent.push(code);
      await until;
      if (code === right) return;
      throw new Problem(422, { code: "validation_failed", errors: [{ field: "code", message: REFUSAL }] });
    },
  );
  const Field = kind === "recovery" ? RecoveryCodeField : CodeField;
  return (
    <form onSubmit={onSubmit} noValidate>
      <Field
        label="Code"
        readOnly={busy}
        {...(kind === "either" && { recovery: true })}
        {...form.getInputProps("code")}
      />
      <button type="submit">Sign in</button>
    </form>
  );
}

type Kind = "app" | "either" | "recovery";

function judged(right: string, kind: Kind, until = Promise.resolve()) {
  const sent: string[] = [];
  render(
    <MantineProvider env="test">
      <Judged right={right} kind={kind} sent={sent} until={until} />
    </MantineProvider>,
  );
  return { sent, user: userEvent.setup(), field: screen.getByLabelText<HTMLInputElement>("Code") };
}

describe("a code that was refused", () => {
  for (const kind of ["app", "either"] as const) {
    it(`gives way to what is typed next, and is told of until then (${kind})`, async () => {
      const { sent, user, field } = judged("654321", kind);
      await user.type(field, "123456");
      expect(await screen.findByText(REFUSAL)).toBeTruthy();
      expect(document.activeElement).toBe(field);
      await user.keyboard("6");
      expect(field.value).toBe("6");
      expect(screen.queryByText(REFUSAL)).toBeNull();
      await user.keyboard("54321");
      expect(sent).toEqual(["123456", "654321"]);
    });

    it(`gives way to what is pasted behind it (${kind})`, async () => {
      const { sent, user, field } = judged("654321", kind);
      await user.type(field, "123456");
      await screen.findByText(REFUSAL);
      field.setSelectionRange(6, 6);
      await user.paste("654 321");
      expect(sent).toEqual(["123456", "654321"]);
      expect(field.value).toBe("654321");
    });

    it(`is not changed by a key that comes while it is checked (${kind})`, async () => {
      let answer = () => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const { sent, user, field } = judged("654321", kind, answered);
      await user.type(field, "1234566");
      expect(field.value).toBe("123456");
      answer();
      await screen.findByText(REFUSAL);
      await user.keyboard("654321");
      expect(sent).toEqual(["123456", "654321"]);
    });

    it(`gives way to a digit typed behind it (${kind})`, async () => {
      const { user, field } = judged("654321", kind);
      await user.type(field, "123456");
      await screen.findByText(REFUSAL);
      field.setSelectionRange(6, 6);
      await user.keyboard("6");
      expect(field.value).toBe("6");
    });
  }

  it("gives way where recovery codes are asked for", async () => {
    const { sent, user, field } = judged("2345-6abc-defg-h789", "recovery");
    await user.type(field, "2345-6abc-defg-hhhh{Enter}");
    await screen.findByText(REFUSAL);
    await user.keyboard("2345-6abc-defg-h789{Enter}");
    expect(sent).toEqual(["2345-6abc-defg-hhhh", "2345-6abc-defg-h789"]);
  });
});
