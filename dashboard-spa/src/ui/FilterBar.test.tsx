import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { FilterBar } from "./FilterBar";

function Page() {
  const [values, setValues] = useState<Record<string, string | undefined>>({});
  return (
    <MantineProvider env="test">
      <FilterBar values={values} onChange={setValues} search={[{ key: "name", label: "Find" }]} />
      <output>{values.name ?? "everything"}</output>
      <button type="button" onClick={() => setValues({})}>
        Forget
      </button>
    </MantineProvider>
  );
}

afterEach(cleanup);

describe("a search field", () => {
  const found = (text: string) => waitFor(() => expect(screen.getByRole("status").textContent).toBe(text));

  it("keeps the space between two words however slowly they are typed", async () => {
    const user = userEvent.setup();
    render(<Page />);
    await user.type(screen.getByLabelText("Find"), "Acme ");
    await found("Acme");
    await user.type(screen.getByLabelText("Find"), "Tel");
    await found("Acme Tel");
  });

  it("follows when the filter is taken away elsewhere", async () => {
    const user = userEvent.setup();
    render(<Page />);
    await user.type(screen.getByLabelText("Find"), "Acme");
    await found("Acme");
    await user.click(screen.getByText("Forget"));
    expect(screen.getByLabelText<HTMLInputElement>("Find").value).toBe("");
  });
});
