"""What a customer's program does with the official Python SDK: one command a line on standard input, one JSON answer
a line. `url` is where Trunkline is; nothing else about the SDK is changed."""

import json
import os
import sys
from datetime import date

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
        "start": call.start_time and call.start_time.isoformat(),
        "end": call.end_time and call.end_time.isoformat(),
        "answered_by": call.answered_by,
        "parent": call.parent_call_sid,
        "uri": call.uri,
    }


def number_of(text):
    return next(one for one in client.incoming_phone_numbers.list() if one.phone_number == text)


COMMANDS = {
    "create": lambda **given: shown(client.calls.create(**given)),
    "fetch": lambda sid: shown(client.calls(sid).fetch()),
    "update": lambda sid, **given: shown(client.calls(sid).update(**given)),
    "delete": lambda sid: client.calls(sid).delete(),
    "list": lambda **given: [call.sid for call in client.calls.list(**given)],
    "account": lambda: client.api.accounts(client.username).fetch().friendly_name,
    "numbers": lambda: [number.phone_number for number in client.incoming_phone_numbers.list()],
    "configure": lambda number, **given: number_of(number).update(**given).voice_url,
}

COMMANDS |= {
    "on_day": lambda field, day: [call.sid for call in client.calls.list(**{field: date.fromisoformat(day)})],
    "count": lambda list: len(getattr(client, list).list()),
    "count_of_call": lambda sid, list: len(getattr(client.calls(sid), list).list()),
    "below": lambda sid: client.calls(sid).fetch().subresource_uris,
}

for line in sys.stdin:
    name, given = json.loads(line)
    try:
        answer = {"ok": COMMANDS[name](**given)}
    except TwilioRestException as error:
        answer = {"error": {"code": error.code, "status": error.status, "message": error.msg}}
    print(json.dumps(answer), flush=True)
