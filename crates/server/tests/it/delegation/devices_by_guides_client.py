"""The guide's published client, 1.0.0, sees to a user's devices. Prints JSON."""

import json
import sys
import time
import urllib.error
import urllib.request

from hawcx_oauth_client.delegation import HawcxDelegationClient, IdpDelegationClient, crypto

told = json.loads(sys.argv[1])
url, pem, user = told["url"], told["pem"], told["user"]
hawcx = HawcxDelegationClient.from_keys(
    sp_signing_key=pem["sp_signing_key_pem"],
    sp_encryption_key=pem["sp_encryption_key_pem"],
    idp_verify_key=pem["idp_verify_key_pem"],
    idp_encryption_key=pem["idp_encryption_key_pem"],
    sp_id="c3",
    base_url=url,
)
low = IdpDelegationClient(
    base_url=url,
    signer=crypto.Ed25519Signer(pem["sp_signing_key_pem"], kid=None),
    verifier=crypto.Verifier({"hawcx": pem["idp_verify_key_pem"]}),
    encryptor=crypto.EciesX25519Encryptor(pem["idp_encryption_key_pem"]),
    decryptor=crypto.EciesX25519Decryptor(pem["sp_encryption_key_pem"]),
    sp_id="c3",
)


def caught(deed):
    try:
        return deed()
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def is_alive():
    request = urllib.request.Request(f"{url}/v1/me", headers={"authorization": f"Bearer {told['access_token']}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def state():
    devices = hawcx.list_user_devices(user)["devices"]
    return devices[0]["revoked"] if devices else None


done = {"listed": hawcx.list_user_devices(user), "alive": [is_alive()], "states": [state()], "details": {}}
device = done["listed"]["devices"][0]["h2index"]
done["details"]["revoke"] = hawcx.revoke_device(user, device)["detail"]
time.sleep(1)
done["alive"].append(is_alive())
done["states"].append(state())
done["details"]["again"] = hawcx.revoke_device(user, device)["detail"]
done["details"]["unrevoke"] = hawcx.unrevoke_device(user, device)["detail"]
done["alive"].append(is_alive())
done["states"].append(state())
done["older"] = low.device_revoke(user, device, "a lost phone", "desk-7")
done["refused"] = {
    "unknown device": caught(lambda: hawcx.revoke_device(user, "pky_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    "unknown user": caught(lambda: hawcx.revoke_device("nobody@example.com", device)),
}
done["details"]["delete"] = hawcx.delete_device(user, device)["detail"]
done["states"].append(state())
done["refused"]["gone"] = caught(lambda: hawcx.unrevoke_device(user, device))
print(json.dumps(done))
