"""The guide's client of later versions takes a credential apart. Prints JSON."""

import json
import sys

from hawcx_oauth_client.delegation import credentials

told = json.loads(sys.argv[1])
vectors = json.load(open(told["vectors"], encoding="utf-8"))
read = credentials.parse_hawcx_secret_key(vectors["credential"]["text"])
print(
    json.dumps(
        {
            "kid": read.kid,
            "hkid": read.hkid,
            "verifies": read.verify_key_pem,
            "seals": read.encrypt_key_pem,
            "signs": read.signing_key_pem,
            "opens": read.decrypt_key_pem,
        }
    )
)
