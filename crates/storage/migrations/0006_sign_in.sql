-- Sign-ins that are under way. The handle changes with each step, so that none is taken twice. Null: nobody has said yet who they are.
create table sign_ins (
    project_id text not null,
    sign_in_id text not null,
    handle_hash text not null,
    client_id text not null,
    request text not null,
    kind text,
    value text,
    dpop_jkt text,
    challenge_id text,
    code_hash text,
    sent_at bigint,
    tries bigint not null,
    sends bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (project_id, sign_in_id)
) /* clustered */;
create index sign_ins_by_expiry on sign_ins (expires_at);
