-- Messages to users, on their way. What is said and to whom is sealed, and gone once the message has ended. next_attempt_at: when it may
-- be tried (again); who takes it on sets it ahead, so that nobody else does meanwhile, and the count of attempts is what it was taken on by.
-- Null: it has ended, and outcome says how.
create table messages (
    project_id text not null,
    message_id text not null,
    channel text not null,
    sealed text,
    created_at bigint not null,
    expires_at bigint not null,
    attempts bigint not null,
    next_attempt_at bigint,
    ended_at bigint,
    outcome text,
    primary key (project_id, message_id)
);
create index messages_due on messages (channel, next_attempt_at) where next_attempt_at is not null;
create index messages_ended on messages (ended_at) where ended_at is not null;
