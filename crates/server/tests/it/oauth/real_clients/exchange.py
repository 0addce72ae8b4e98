"""The published client of the guide exchanges codes, and prints what it verified or how it failed."""

import json
import sys

from hawcx_oauth_client import HawcxOAuthError, exchange_code_for_claims

told = json.loads(sys.argv[1])
first, second = told["codes"]


def exchange(code, **key):
    return exchange_code_for_claims(
        code=code,
        oauth_token_url=told["token_endpoint"],
        client_id=told["client_id"],
        api_key="pk_of_an_app",
        redirect_uri=told["redirect_uri"],
        audience=told["client_id"],
        issuer=told["issuer"],
        **{"code_verifier": told["verifier"], **key},
    )


def failure(code, **key):
    try:
        return exchange(code, **key)
    except HawcxOAuthError as problem:
        return type(problem).__name__


by_jwks = exchange(first, jwks_url=told["jwks_uri"])
wrong_verifier = failure(second, jwks_url=told["jwks_uri"], code_verifier="a" * 43)
by_pem = exchange(second, public_key=told["pem"], bearer_token=told["bearer_token"])
replayed = failure(first, jwks_url=told["jwks_uri"])
print(json.dumps({"by_jwks": by_jwks, "by_pem": by_pem, "replayed": replayed, "wrong_verifier": wrong_verifier}))
