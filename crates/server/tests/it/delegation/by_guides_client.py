"""The guide's published client, 1.0.0, changes a user's second factor. Prints JSON."""

import json
import re
import sys
import urllib.request
from urllib.parse import quote

from hawcx_oauth_client.delegation import HawcxDelegationClient, IdpDelegationClient, MfaMethod, crypto

told = json.loads(sys.argv[1])
url, pem, user = told["url"], told["pem"], told["user"]


def client(**other):
    keys = {
        "sp_signing_key": pem["sp_signing_key_pem"],
        "sp_encryption_key": pem["sp_encryption_key_pem"],
        "idp_verify_key": pem["idp_verify_key_pem"],
        "idp_encryption_key": pem["idp_encryption_key_pem"],
        "sp_id": "c3",
        "base_url": url,
    }
    return HawcxDelegationClient.from_keys(**{**keys, **other})


def caught(deed):
    try:
        return deed()
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def newest_code(to):
    with urllib.request.urlopen(f"{url}/dev/outbox?to={quote(to)}") as answer:
        messages = json.load(answer)["messages"]
    return next(message["code"] for message in messages if message["code"])


hawcx = client()
low = IdpDelegationClient(
    base_url=url,
    signer=crypto.Ed25519Signer(pem["sp_signing_key_pem"], kid=None),
    verifier=crypto.Verifier({"hawcx": pem["idp_verify_key_pem"]}),
    encryptor=crypto.EciesX25519Encryptor(pem["idp_encryption_key_pem"]),
    decryptor=crypto.EciesX25519Decryptor(pem["sp_encryption_key_pem"]),
    sp_id="c3",
)
done = {"before": hawcx.get_user_credentials(user)}
by_sms = hawcx.initiate_mfa_change(user, MfaMethod.SMS, phone_number="+15551234567")
done["sms"] = {"told": sorted(by_sms)}
done["wrong"] = caught(lambda: hawcx.verify_mfa_change(user, by_sms["session_id"], "000000" if by_sms["otp"] != "000000" else "111111"))
done["sms"]["verified"] = hawcx.verify_mfa_change(user, by_sms["session_id"], newest_code("+15551234567"))
done["again"] = caught(lambda: hawcx.verify_mfa_change(user, by_sms["session_id"], by_sms["otp"]))
done["after_sms"] = hawcx.get_user_credentials(user)
by_mail = hawcx.initiate_mfa_change(user, "email")
done["email"] = hawcx.verify_mfa_change(user, by_mail["session_id"], newest_code(user))
done["state"] = low.mfa_get_status(user)
done["disabled"] = low.mfa_update(user, "email", False, "lost it", "desk-7")
done["unproved"] = caught(lambda: low.mfa_update(user, "totp", True, "wants it"))
done["enabled"] = low.mfa_update(user, "email", True, "has it again")
counted = hawcx.initiate_mfa_change(user, "totp", mfa_change_to="totp")
done["totp"] = {"told": sorted(counted), "uri": bool(re.match(r"otpauth://totp/", counted["otpauth_uri"]))}
done["suggested"] = [
    hawcx.get_suggested_mfa(user),
    hawcx.set_suggested_mfa(user, "risk_only"),
    hawcx.get_suggested_mfa(user),
    hawcx.get_suggested_mfa("nobody@example.com"),
]
done["refused"] = {
    "unknown user": caught(lambda: hawcx.get_user_credentials("nobody@example.com")),
    "impossible number": caught(lambda: hawcx.initiate_mfa_change(user, "sms", phone_number="+1555123")),
    "another client": caught(lambda: client(sp_id="c4").get_user_credentials(user)),
    "no client": caught(lambda: client(sp_id="c9").get_user_credentials(user)),
    "another key": caught(lambda: client(sp_signing_key=told["other_signing_key_pem"]).get_user_credentials(user)),
    "our key of another": caught(lambda: client(idp_verify_key=told["other_verify_key_pem"]).get_user_credentials(user)),
}
print(json.dumps(done))
