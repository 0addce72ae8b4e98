"""What the guide's error handler makes of the errors of the client, each got by doing what leads to it."""

import json
import sys

from errors import handle_hawcx_error
from hawcx_oauth_client import exchange_code_for_claims

told = json.loads(sys.argv[1])


def outcome(**how):
    try:
        exchange_code_for_claims(
            oauth_token_url=told["token_endpoint"],
            client_id=told["client_id"],
            code_verifier=told["verifier"],
            **how,
        )
    except Exception as problem:
        return {"error": type(problem).__name__, **handle_hawcx_error(problem)}
    return {"error": None}


print(
    json.dumps(
        {
            "good": outcome(code=told["codes"][0], public_key=told["pem"]),
            "replayed": outcome(code=told["codes"][0], public_key=told["pem"]),
            "of another key": outcome(code=told["codes"][1], public_key=told["other_pem"]),
            "no key": outcome(code=told["codes"][2], public_key="no key"),
        }
    )
)
