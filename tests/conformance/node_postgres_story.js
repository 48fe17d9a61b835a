// node-postgres' story: one function a claim, each on a connection of its own. Prints "ok NAME" or "FAILED NAME: why" a line.
//
// Arguments: PORT PASSWORD gateway|direct. With "direct" the claims about masks and refusals are left out.
'use strict';

const assert = require('node:assert/strict');
const { Client, Pool } = require('pg');

const [port, password, end] = process.argv.slice(2);
const login = { host: '127.0.0.1', port: Number(port), user: 'alice', password, database: 'featurestore' };

async function withClient(work, options = {}) {
  const client = new Client({ ...login, ...options });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const refused = (error) => error.code === '42501' && error.message.includes('blocked by policy');

const claims = {
  logs_in_over_tls: () => withClient(async (client) => {
    assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
  }, { ssl: { rejectUnauthorized: false } }),

  parameters: () => withClient(async (client) => {
    const { rows } = await client.query('select $1::int as i, $2::text as t, $3::json as j, $4::int[] as a, $5::bytea as b, null as n',
      [7, "ä'\\", { x: [1] }, [1, null], Buffer.from([0, 255])]);
    assert.deepEqual(rows, [{ i: 7, t: "ä'\\", j: { x: [1] }, a: [1, null], b: Buffer.from([0, 255]), n: null }]);
  }),

  prepared_statements: () => withClient(async (client) => {
    for (let id = 1; id <= 20; id++) {
      const { rows } = await client.query({ name: 'by-id', text: 'select amount from orders where id = $1', values: [id] });
      assert.equal(rows[0].amount, (id * 1.5).toFixed(1));
    }
  }),

  several_statements: () => withClient(async (client) => {
    const results = await client.query('select 1 as a; select 2 as b');
    assert.deepEqual(results.map((result) => result.rows[0]), [{ a: 1 }, { b: 2 }]);
  }),

  queued_queries: () => withClient(async (client) => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => client.query('select $1::int as i', [i])));
    assert.deepEqual(answers.map((answer) => answer.rows[0].i), Array.from({ length: 200 }, (_, i) => i));
  }),

  portals_by_rows: () => withClient(async (client) => {
    const { rows } = await client.query({ text: 'select generate_series(1, 100) as i', rows: 7 });
    assert.equal(rows.length, 100);
  }),

  errors_keep_their_fields: () => withClient(async (client) => {
    await assert.rejects(client.query('select nothing'), (error) => error.code === '42703' && error.position === '8');
    assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
  }),

  notifications: () => withClient(async (listener) => withClient(async (speaker) => {
    const heard = new Promise((resolve) => { listener.on('notification', resolve); });
    await listener.query('listen news');
    await speaker.query("notify news, 'hello'");
    assert.equal((await heard).payload, 'hello');
  })),

  a_pool: async () => {
    const pool = new Pool({ ...login, max: 10 });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => pool.query('select $1::int * 2 as x', [i])));
    await pool.end();
    assert.deepEqual(answers.map((answer) => answer.rows[0].x), Array.from({ length: 100 }, (_, i) => i * 2));
  },

  transactions: () => withClient(async (client) => {
    await client.query('begin');
    await client.query('insert into scratch values ($1, $2)', [90, 'lost']);
    await assert.rejects(client.query('select 1/0'));
    await client.query('rollback');
    assert.equal((await client.query('select count(*)::int as n from scratch where id = 90')).rows[0].n, 0);
  }),

  gateway_masks_in_text_and_binary: () => withClient(async (client) => {
    for (const binary of [false, true]) {
      const { rows } = await client.query({ text: 'select id, email, ssn, age from users where id < $1 order by id', values: [10], binary });
      assert.deepEqual(rows, [
        { id: 1, email: '[masked]', ssn: '[masked]', age: 36 }, { id: 2, email: '[masked]', ssn: '[masked]', age: 41 },
        { id: 3, email: null, ssn: null, age: null }]);
    }
  }),

  gateway_masks_prepared_statements: () => withClient(async (client) => {
    for (let round = 0; round < 3; round++) {
      const { rows } = await client.query({ name: 'masked', text: 'select ssn from users where id = $1', values: [1] });
      assert.deepEqual(rows, [{ ssn: '[masked]' }]);
    }
  }),

  gateway_refuses_and_the_connection_lives: () => withClient(async (client) => {
    for (let round = 0; round < 3; round++) {
      await assert.rejects(client.query('drop table orders'), refused);
      await assert.rejects(client.query('delete from orders where id = $1', [1]), refused);
      await assert.rejects(client.query({ name: 'gone', text: 'truncate orders' }), refused);
      assert.equal((await client.query('select count(*)::int as n from orders')).rows[0].n, 20);
    }
  }),

  gateway_refuses_in_a_transaction: () => withClient(async (client) => {
    await client.query('begin');
    await client.query("insert into scratch values (91, 'lost')");
    await assert.rejects(client.query('truncate orders'), refused);
    await assert.rejects(client.query('select 1'), (error) => error.code === '25P02');
    await client.query('rollback');
    assert.equal((await client.query('select count(*)::int as n from scratch where id = 91')).rows[0].n, 0);
  }),

  gateway_refuses_a_login_like_postgresql: async () => {
    const client = new Client({ ...login, password: 'wrong' });
    await assert.rejects(client.connect(), (error) => error.code === '28P01');
  },
};

(async () => {
  let failures = 0;
  for (const [name, claim] of Object.entries(claims)) {
    if (end === 'direct' && name.startsWith('gateway_')) continue;
    try {
      await claim();
      console.log(`ok ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAILED ${name}: ${String(error.message).replace(/\s+/g, ' ')}`);
    }
  }
  process.exit(failures === 0 ? 0 : 1);
})();
