-- From where users signed in, as keyed marks that tell same from other: the newest few of each. What speaks against a sign-in that is under way
-- is kept with it; null: nothing.
create table sign_in_places (
    project_id text not null,
    user_id text not null,
    network text not null,
    device text not null,
    first_seen_at bigint not null,
    last_seen_at bigint not null,
    primary key (project_id, user_id, network, device)
) /* clustered */;
create index sign_in_places_by_age on sign_in_places (last_seen_at);
alter table sign_ins add column risk text;
