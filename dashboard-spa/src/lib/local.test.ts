import { describe, expect, it } from "vitest";
import { isLocalAuthority, isLocalUrl } from "./local";

describe("a local address", () => {
  it("is told before it is saved", () => {
    for (const url of [
      "http://127.0.0.1:3000/voice",
      "http://localhost/x",
      "https://10.1.2.3/",
      "http://172.20.0.1/",
      "http://192.168.1.20:8080/",
      "http://[::1]/",
      "http://[fd00::7]:80/",
      "http://printer.local/",
    ])
      expect(isLocalUrl(url), url).toBe(true);
    for (const url of ["https://example.com/", "http://172.32.0.1/", "https://11.0.0.1", "nonsense", ""])
      expect(isLocalUrl(url), url).toBe(false);
  });

  it("is told of a trunk's host with and without a port", () => {
    for (const host of ["127.0.0.1:5070", "192.168.1.1", "[::1]:5060", "::1", "pbx.lan", "localhost:5060"])
      expect(isLocalAuthority(host), host).toBe(true);
    for (const host of ["sip.example.com:5080", "203.0.113.7", "[2001:db8::1]", ""])
      expect(isLocalAuthority(host), host).toBe(false);
  });
});
