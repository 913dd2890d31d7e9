-- Signed heads of the record's chain (src/record/chain.ts); a record that is older than these was rolled back.
create table chain_heads (
  chain     text not null,
  number    bigint not null,
  size      bigint not null,
  -- microseconds since 1970
  at        bigint not null,
  text      text not null,
  signature text not null,
  primary key (chain, number)
);

create index chain_heads_by_age on chain_heads (at desc);
