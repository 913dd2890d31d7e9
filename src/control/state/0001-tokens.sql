-- Gateway tokens. The secret itself is never stored: only its SHA-256.
create table tokens (
  id          text primary key,
  secret_hash bytea not null check (length(secret_hash) = 32),
  subject     text not null,
  kind        text not null check (kind in ('human', 'workload')),
  groups      text[] not null,
  -- null: not narrowed
  roles       text[],
  connections text[],
  owner       text not null,
  job         text not null,
  run         text not null,
  agent       text not null,
  -- null: from anywhere
  from_block  text,
  expires_at  timestamptz not null,
  issued_by   text not null,
  created_at  timestamptz not null,
  revoked_at  timestamptz
);

create index tokens_by_age on tokens (created_at desc, id desc);
