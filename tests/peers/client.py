"""What a customer's program does with the official Python SDK: one command a line on standard input, one JSON answer
a line. `url` is where Trunkline is; nothing else about the SDK is changed."""

import json
import os
import sys

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

client = Client(os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"])
client.api.base_url = os.environ["API_URL"]


def shown(call):
    return {
        "sid": call.sid,
        "status": call.status,
        "direction": call.direction,
        "to": call.to,
        "from": call._from,
        "duration": call.duration,
        "created": call.date_created.isoformat(),
        "answered_by": call.answered_by,
        "parent": call.parent_call_sid,
        "uri": call.uri,
    }


COMMANDS = {
    "create": lambda **given: shown(client.calls.create(**given)),
    "fetch": lambda sid: shown(client.calls(sid).fetch()),
    "update": lambda sid, **given: shown(client.calls(sid).update(**given)),
    "delete": lambda sid: client.calls(sid).delete(),
    "list": lambda **given: [call.sid for call in client.calls.list(**given)],
    "account": lambda: client.api.accounts(client.username).fetch().friendly_name,
    "numbers": lambda: [number.phone_number for number in client.incoming_phone_numbers.list()],
    "configure": lambda number, **given: client.incoming_phone_numbers.list(phone_number=number)[0].update(**given).voice_url,
}

for line in sys.stdin:
    name, given = json.loads(line)
    try:
        answer = {"ok": COMMANDS[name](**given)}
    except TwilioRestException as error:
        answer = {"error": {"code": error.code, "status": error.status, "message": error.msg}}
    print(json.dumps(answer), flush=True)
