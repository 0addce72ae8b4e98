-- What is kept of a passkey's challenge until the answer comes: of one that proves somebody who signs in, and of one that gives a passkey to
-- whoever is signed in. Null: none was asked for, or its answer has come.
alter table sign_ins add column passkey_state text;
alter table browser_sessions add column passkey_state text;
