/** What the server says when it refuses (RFC 9457), as an error the pages can show and the forms can place. */

export type FieldProblem = { field: string; message: string };

type Body = {
  status?: number;
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: FieldProblem[];
};

/** A refusal, or a request that never got an answer (status 0, code `offline`). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** What happened in a few words of people, where HTTP has its own. */
  readonly title: string;
  readonly detail: string | undefined;
  readonly requestId: string | undefined;
  readonly fields: FieldProblem[];
  readonly retryAfter: number | undefined;

  constructor(status: number, body: Body, retryAfter?: number) {
    super(body.detail ?? "The request was refused.");
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? (status === 0 ? "offline" : "unknown");
    this.title = headingOf(this.code, status);
    this.detail = body.detail;
    this.requestId = body.request_id;
    this.fields = body.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** The same, with the fields under other names. */
  renamed(rename: (field: string) => string): Problem {
    return this.with({
      errors: this.fields.map(({ field, message }) => ({ field: rename(field), message })),
    });
  }

  /** The same, saying this instead, with no fields. */
  withDetail(detail: string): Problem {
    return this.with({ detail, errors: [] });
  }

  private with(body: Body): Problem {
    const { detail, code, requestId, fields } = this;
    const own: Body = {
      code,
      errors: fields,
      ...(detail && { detail }),
      ...(requestId && { request_id: requestId }),
    };
    return new Problem(this.status, { ...own, ...body }, this.retryAfter);
  }
}

const OFFLINE: Body = { detail: "Nothing is known to have changed." };

const HEADINGS: Record<string, string> = {
  offline: "No answer from the server",
  invalid_credentials: "You are not signed in",
  unauthenticated: "You are signed out",
  changed: "It has changed meanwhile",
  taken: "Something else has it already",
  rate_limited: "Too many attempts",
  unavailable: "The server is not ready",
  timeout: "The server took too long",
};

function headingOf(code: string, status: number): string {
  if (status >= 500) return HEADINGS[code] ?? "The server failed";
  const other: Record<number, string> = {
    403: "You may not do this",
    404: "It is not there",
    409: "This cannot be done as it is now",
  };
  return HEADINGS[code] ?? other[status] ?? "This was not accepted";
}

/** Any thrown thing as a problem. */
export function toProblem(error: unknown, response?: Response): Problem {
  if (error instanceof Problem) return error;
  if (response === undefined) return new Problem(0, OFFLINE);
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  const body = typeof error === "object" && error !== null ? (error as Body) : {};
  return new Problem(response.status, body, retryAfter);
}

/** What the person can do next, in one sentence. */
export function advice(problem: Problem): string {
  switch (problem.code) {
    case "offline":
      return "Check the connection, then try again.";
    case "unauthenticated":
      return "Sign in again.";
    case "forbidden":
      return "Ask an owner of this carrier to do it, or to change your role.";
    case "not_found":
      return "It may have been deleted.";
    case "rate_limited":
      return `Wait ${problem.retryAfter ?? 60} seconds, then try again.`;
    case "conflict":
    case "taken":
      return "Reload to see how it is now.";
    case "timeout":
    case "unavailable":
      return "The server is busy or restarting. Try again in a moment.";
    default:
      return problem.status >= 500
        ? "Try again. If it stays, quote the reference below to whoever runs this server."
        : "Correct it and try again.";
  }
}
