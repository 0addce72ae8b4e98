-- The thumbprint of the key without which the session's tokens are worthless. Null: whoever holds them may use them.
alter table sessions add column dpop_jkt text;

-- What works once and was used: by project, by what it was for, as a hash. A row may go once expires_at has passed: until then what it stands
-- for could come again.
create table spent (
    project_id text not null,
    purpose text not null,
    value_hash text not null,
    expires_at bigint not null,
    primary key (project_id, purpose, value_hash)
) /* clustered */;
create index spent_by_expiry on spent (expires_at);
