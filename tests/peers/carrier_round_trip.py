"""A client generated from the Carrier API's document makes, reads, changes and removes one of everything."""

import os

from carrier_client import AuthenticatedClient
from carrier_client.api.accounts import create_account, list_accounts, update_account
from carrier_client.api.carrier import get_overview
from carrier_client.api.phone_numbers import create_phone_number, get_phone_number, update_phone_number
from carrier_client.api.trunks import create_trunk, delete_trunk, get_trunk
from carrier_client.models import (
    AccountCreate,
    AccountUpdate,
    PhoneNumberCreate,
    PhoneNumberUpdate,
    Problem,
    TrunkCreate,
)

client = AuthenticatedClient(base_url=os.environ["BASE_URL"], token=os.environ["API_KEY"])

account = create_account.sync(client=client, body=AccountCreate(name="Generated"))
assert account.sid.startswith("AC") and len(account.auth_token) == 32, account
assert account.sid in [one.sid for one in list_accounts.sync(client=client).data]
renamed = update_account.sync(account.sid, client=client, body=AccountUpdate(name="Renamed"))
assert renamed.name == "Renamed", renamed

trunk = create_trunk.sync(
    client=client,
    body=TrunkCreate.from_dict(
        {"name": "Generated", "outbound": {"host": "sip.example.com", "dial_string_prefix": "99", "plus_prefix": True}}
    ),
)
assert get_trunk.sync(trunk.sid, client=client).outbound.example_dial_string.startswith("+99"), trunk

number = create_phone_number.sync(client=client, body=PhoneNumberCreate(number="+12125550123", account_sid=account.sid))
update_phone_number.sync(
    number.sid,
    client=client,
    body=PhoneNumberUpdate.from_dict({"voice": {"voice_url": "https://example.com/voice"}}),
)
assert get_phone_number.sync(number.sid, client=client).voice.voice_url == "https://example.com/voice"

again = create_phone_number.sync(client=client, body=PhoneNumberCreate(number="12125550123"))
assert isinstance(again, Problem) and again.status == 409 and again.code == "taken", again
wrong = create_phone_number.sync(client=client, body=PhoneNumberCreate(number="nonsense"))
assert isinstance(wrong, Problem) and wrong.errors[0].field == "number", wrong

assert delete_trunk.sync_detailed(trunk.sid, client=client).status_code == 204
assert get_trunk.sync_detailed(trunk.sid, client=client).status_code == 404
assert get_overview.sync(client=client).accounts == 2
