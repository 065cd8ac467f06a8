import { MantineProvider, TextInput } from "@mantine/core";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../api/problem";
import { Meanwhile } from "../ui/Meanwhile";
import { ProblemNotice } from "../ui/ProblemNotice";
import { placeErrors, useProblemForm } from "./forms";
import { only } from "./merge";

function TestForm({ submit }: { submit: (values: { name: string; host: string }) => Promise<void> }) {
  const { form, problem, onSubmit } = useProblemForm(
    {
      initialValues: { name: "", host: "" },
      validate: {
        name: (value) => (value === "" ? "Enter a name" : value.length < 2 ? "Enter a longer name" : null),
        host: (value) => (value ? null : "Enter a host"),
      },
    },
    submit,
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      {problem && <ProblemNotice error={problem} />}
      <TextInput label="Name" {...form.getInputProps("name")} />
      <TextInput label="Host" {...form.getInputProps("host")} />
      <button type="submit">Save</button>
    </form>
  );
}

function show(submit: (values: { name: string; host: string }) => Promise<void>) {
  render(
    <MantineProvider env="test">
      <TestForm submit={submit} />
    </MantineProvider>,
  );
  return userEvent.setup();
}

const refusal = (errors: { field: string; message: string }[]) =>
  new Problem(422, { code: "validation_failed", request_id: "req_1", errors });

afterEach(cleanup);

describe("a form", () => {
  it("shows every missing field at once and focuses the first", async () => {
    const submit = vi.fn();
    const user = show(submit);
    await user.click(screen.getByText("Save"));
    expect(screen.getByText("Enter a name")).toBeTruthy();
    expect(screen.getByText("Enter a host")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Name")));
    expect(submit).not.toHaveBeenCalled();
  });

  it("checks a field that was typed in when it is left, and complains of none that nobody touched", async () => {
    const user = show(async () => undefined);
    await user.click(screen.getByLabelText("Name"));
    await user.tab();
    await user.tab();
    expect(screen.queryByText(/^Enter/)).toBeNull();
    await user.type(screen.getByLabelText("Name"), "D");
    await user.tab();
    expect(screen.getByText("Enter a longer name")).toBeTruthy();
    expect(screen.queryByText("Enter a host")).toBeNull();
  });

  it("puts the server's refusal at its field and focuses it", async () => {
    const user = show(() => Promise.reject(refusal([{ field: "host", message: "not a host" }])));
    await user.type(screen.getByLabelText("Name"), "Gateway");
    await user.type(screen.getByLabelText("Host"), "x");
    await user.click(screen.getByText("Save"));
    expect(await screen.findByText("Not a host")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Host")));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows a refusal that belongs to no field above the form, with a reference to quote", async () => {
    const user = show(() => Promise.reject(new Problem(503, { code: "unavailable", request_id: "req_7" })));
    await user.type(screen.getByLabelText("Name"), "Gateway");
    await user.type(screen.getByLabelText("Host"), "x");
    await user.click(screen.getByText("Save"));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The server is not ready");
    expect(alert.textContent).toContain("req_7");
    expect(alert.textContent).toContain("Try again in a moment");
  });
});

/** A form of something that is stored, and saved in capitals. */
function StoredForm({ name }: { name: string }) {
  const { form, onSubmit, ...meanwhile } = useProblemForm(
    { initialValues: { name } },
    async (values, saved) => saved({ name: values.name.toUpperCase() }),
  );
  return (
    <MantineProvider env="test">
      <form onSubmit={onSubmit} noValidate>
        <TextInput label="Name" {...form.getInputProps("name")} />
        <Meanwhile {...meanwhile} />
        <button type="submit">Save</button>
      </form>
    </MantineProvider>
  );
}

describe("a form of what is stored", () => {
  const field = () => screen.getByLabelText<HTMLInputElement>("Name");

  it("follows a change while nothing is typed", () => {
    const { rerender } = render(<StoredForm name="Desk" />);
    rerender(<StoredForm name="Door" />);
    expect(field().value).toBe("Door");
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("keeps what is typed, says that it changed elsewhere, and can show the change", async () => {
    const user = userEvent.setup();
    const { rerender } = render(<StoredForm name="Desk" />);
    await user.type(field(), " one");
    rerender(<StoredForm name="Door" />);
    expect(field().value).toBe("Desk one");
    expect(screen.getByRole("status").textContent).toContain("Changed elsewhere");
    await user.click(screen.getByText("Show the change instead"));
    expect(field().value).toBe("Door");
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("shows what it was saved as, and takes its own change for no other's", async () => {
    const user = userEvent.setup();
    const { rerender } = render(<StoredForm name="Desk" />);
    await user.type(field(), " one");
    await user.click(screen.getByText("Save"));
    await waitFor(() => expect(field().value).toBe("DESK ONE"));
    rerender(<StoredForm name="DESK ONE" />);
    expect(field().value).toBe("DESK ONE");
    expect(screen.queryByRole("status")).toBeNull();
  });
});

type Thing = { name: string; host: string };

/** A form of two fields; sends what was touched. */
function TwoFields({ stored, send }: { stored: Thing; send: (body: object) => void }) {
  const { form, onSubmit, ...meanwhile } = useProblemForm(
    { initialValues: stored },
    async (values, _, touched) => send(only(values, touched)),
  );
  return (
    <MantineProvider env="test">
      <form onSubmit={onSubmit} noValidate>
        <TextInput label="Name" {...form.getInputProps("name")} />
        <TextInput label="Host" {...form.getInputProps("host")} />
        <Meanwhile {...meanwhile} />
        <button type="submit">Save</button>
      </form>
    </MantineProvider>
  );
}

describe("a form that two people have open", () => {
  const value = (label: string) => screen.getByLabelText<HTMLInputElement>(label).value;

  it("sends with Enter what was touched, and shows the other's change in the field that was not", async () => {
    const user = userEvent.setup();
    const send = vi.fn();
    const { rerender } = render(<TwoFields stored={{ name: "Desk", host: "a" }} send={send} />);
    await user.type(screen.getByLabelText("Name"), " one");
    rerender(<TwoFields stored={{ name: "Desk", host: "b" }} send={send} />);
    expect([value("Name"), value("Host")]).toEqual(["Desk one", "b"]);
    expect(screen.queryByRole("status")).toBeNull();
    await user.type(screen.getByLabelText("Name"), "{Enter}");
    await waitFor(() => expect(send).toHaveBeenCalledWith({ name: "Desk one" }));
  });

  it("says at the field and at the button what both have changed, and takes one back without the other", async () => {
    const user = userEvent.setup();
    const send = vi.fn();
    const { rerender } = render(<TwoFields stored={{ name: "Desk", host: "a" }} send={send} />);
    await user.type(screen.getByLabelText("Name"), " one");
    await user.type(screen.getByLabelText("Host"), "bc");
    rerender(<TwoFields stored={{ name: "Door", host: "a" }} send={send} />);
    expect(screen.getByText("Changed elsewhere meanwhile: “Door”")).toBeTruthy();
    expect(screen.getByRole("status").textContent).toContain("marked fields");
    await user.click(screen.getByText("Show the change instead"));
    expect([value("Name"), value("Host")]).toEqual(["Door", "abc"]);
    expect(screen.queryByText(/Changed elsewhere/)).toBeNull();
  });
});

describe("refusals", () => {
  it("name the fields a form does not have", () => {
    const problem = refusal([
      { field: "name", message: "too long" },
      { field: "weather", message: "bad" },
    ]);
    const [errors, rest] = placeErrors(problem, (field) => field === "name");
    expect(errors).toEqual({ name: "Too long" });
    expect(rest?.detail).toBe("weather: bad");
  });
});
