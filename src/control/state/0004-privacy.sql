-- Legal holds. A hold that was removed stays here, to say who did.
create table holds (
  id         text primary key,
  kind       text not null,
  name       text not null,
  reason     text not null,
  added_by   text not null,
  -- microseconds since 1970
  added_at   bigint not null,
  removed_by text,
  removed_at bigint,
  -- whether the record store has the last change
  is_stored  boolean not null default false
);

-- Erasures; one that is not done is gone on with at the next start.
create table erasures (
  id       text primary key,
  kind     text not null,
  name     text not null,
  reason   text not null,
  asked_by text not null,
  asked_at bigint not null,
  -- chain → leaves below which it erases, JSON
  chains   text not null,
  sessions bigint not null,
  done_at  bigint
);
