-- Changes of a user's that a backend asked for, and the user is to prove. change: what is to become another; value: what it becomes, where that is
-- known. What is left to prove once the user is known: sealed_seed, used_step of an authenticator app, or a code that was sent to the new number.
-- Each of begun_at, passed_at and applied_at is written once.
create table step_ups (
    project_id text not null,
    step_up_id text not null,
    client_id text not null,
    user_id text not null,
    user_generation bigint not null,
    purpose text not null,
    change text,
    value text,
    sealed_seed text,
    used_step bigint not null,
    challenge_id text,
    code_hash text,
    sent_at bigint,
    tries bigint not null,
    sends bigint not null,
    created_at bigint not null,
    begun_at bigint,
    passed_at bigint,
    applied_at bigint,
    expires_at bigint not null,
    primary key (project_id, step_up_id)
) /* clustered */;
create index step_ups_of_user on step_ups (project_id, user_id);
create index step_ups_by_expiry on step_ups (expires_at);

-- Of a sign-in that is for a step-up: which, and who it must be. request: where the user goes back to, then.
alter table sign_ins add column step_up_id text;
alter table sign_ins add column only_user_id text;
