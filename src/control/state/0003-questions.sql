-- Questions to the record that people of this deployment have saved.
create table questions (
  name     text primary key,
  asks     text not null,
  sql      text not null,
  saved_by text not null,
  saved_at timestamptz not null
);
