/** What the server says when it refuses (RFC 9457), as an error the pages can show and the forms can place. */

export type FieldProblem = { field: string; message: string };

type Body = {
  title?: string;
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
  readonly title: string;
  readonly detail: string | undefined;
  readonly requestId: string | undefined;
  readonly fields: FieldProblem[];
  readonly retryAfter: number | undefined;

  constructor(status: number, body: Body, retryAfter?: number) {
    super(body.detail ?? body.title ?? "The request was refused.");
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? (status === 0 ? "offline" : "unknown");
    this.title = body.title ?? "Something went wrong";
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
    const { title, detail, code, requestId, fields } = this;
    const own: Body = {
      title,
      code,
      errors: fields,
      ...(detail && { detail }),
      ...(requestId && { request_id: requestId }),
    };
    return new Problem(this.status, { ...own, ...body }, this.retryAfter);
  }
}

const OFFLINE: Body = {
  title: "No answer from the server",
  detail: "Check the connection and try again. Nothing is known to have changed.",
};

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
      return "It may have been deleted. Go back to the list.";
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
        ? "Try again. If it stays, quote the code below to whoever runs this server."
        : "Correct it and try again.";
  }
}
