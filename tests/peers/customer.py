"""A customer's application on the official SDK: a real HTTP server that checks every request's signature and answers
with TwiML built by the SDK.

Prints its address as the first line, then one JSON line a request: path, method, parameters, whether the SDK's own
validator accepts the signature, and what the Authorization header says. With LOCKED it demands a
login, and reports only what came with one. Its program is the environment variable PROGRAM; see PROGRAMS.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

TOKEN = os.environ["AUTH_TOKEN"]
TONE = os.environ.get("TONE_URL", "")
OTHER = os.environ.get("OTHER", "")
LOCKED = os.environ.get("LOCKED")


def gather(parameters):
    answer = VoiceResponse()
    keys = Gather(num_digits=1, timeout=20, action="/digits?from=gather")
    keys.play(TONE)
    answer.append(keys)
    return answer


def digits(parameters):
    answer = VoiceResponse()
    answer.play(TONE)
    answer.hangup()
    return answer


def dial(parameters):
    answer = VoiceResponse()
    call = Dial(timeout=20, action="/dialled", caller_id=parameters["To"])
    call.number(OTHER, status_callback="/status", status_callback_event="initiated ringing answered completed")
    answer.append(call)
    return answer


def dial_behind_redirects(parameters):
    moved = f"/moved/{parameters['moved']}"
    answer = VoiceResponse()
    call = Dial(action=f"{moved}/dialled")
    call.number(OTHER, status_callback=f"{moved}/status", status_callback_event="completed")
    answer.append(call)
    return answer


def dialled(parameters):
    answer = VoiceResponse()
    answer.hangup()
    return answer


def wait(parameters):
    answer = VoiceResponse()
    answer.pause(length=60)
    return answer


def speak(parameters):
    answer = VoiceResponse()
    answer.say("This is a call from the application.")
    answer.pause(length=60)
    return answer


PROGRAMS = {
    "/gather": gather,
    "/digits": digits,
    "/dial": dial,
    "/dial-behind-redirects": dial_behind_redirects,
    "/dialled": dialled,
    "/wait": wait,
    "/speak": speak,
}


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        form = parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)
        self.answer(dict(form))

    def answer(self, form):
        address = urlsplit(self.path)
        url = f"http://{self.headers['Host']}{self.path}"
        # To the letter: some frameworks look the name up as it is written.
        signature = dict(self.headers.items()).get("X-Twilio-Signature", "")
        valid = RequestValidator(TOKEN).validate(url, form, signature)
        parameters = {**dict(parse_qsl(address.query)), **form}
        authorization = self.headers.get("Authorization")
        if LOCKED and not authorization:
            return self.send(401, "text/plain", "who is it?", **{"WWW-Authenticate": 'Basic realm="door"'})
        report(
            path=address.path, method=self.command, valid=valid, parameters=parameters, authorization=authorization
        )
        program = PROGRAMS.get(address.path)
        if address.path.startswith("/moved/"):
            _, _, status, rest = address.path.split("/", 3)
            return self.send(int(status), "text/plain", "elsewhere", Location=f"/{rest}?moved={status}")
        if address.path == "/broken":
            return self.send(500, "text/plain", "broken on purpose")
        if address.path == "/malformed":
            return self.send(200, "text/xml", "<Response><Say>")
        if program is None:
            return self.send(204, "text/plain", "")
        return self.send(200, "text/xml", str(program(parameters)))

    def send(self, status, kind, text, **headers):
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def report(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
report(address=f"http://127.0.0.1:{server.server_address[1]}")
server.serve_forever()
