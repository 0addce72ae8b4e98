-- What users prove themselves with beside the first factor, at most one of a kind. contact: where its codes go, where they are sent. sealed_seed: what
-- an authenticator app counts its codes from. used_step: the last of them that was taken, which is never taken again.
create table second_factors (
    project_id text not null,
    user_id text not null,
    kind text not null,
    contact text,
    sealed_seed text,
    used_step bigint not null,
    created_at bigint not null,
    last_used_at bigint,
    primary key (project_id, user_id, kind)
) /* clustered */;

-- When users want to be asked for them.
create table mfa_preferences (
    project_id text not null,
    user_id text not null,
    preference text not null,
    set_at bigint not null,
    primary key (project_id, user_id)
) /* clustered */;

-- What lets users in without their second factor, each once. code_hash is the SHA-256 of 80 random bits.
create table recovery_codes (
    project_id text not null,
    user_id text not null,
    code_hash text not null,
    created_at bigint not null,
    used_at bigint,
    primary key (project_id, user_id, code_hash)
) /* clustered */;

-- Of a sign-in whose first factor is proved: what else is asked. Null: nothing, or the first isn't proved yet.
alter table sign_ins add column second text;
