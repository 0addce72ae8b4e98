// The customer's own users. Nobody proves anything here: a demo user is whoever says so. Put your own login in its place.

/** `id` is what Countersign calls the external id: the key of your own table, which never changes. */
export const USERS = new Map(
  [
    { name: 'alice', id: 'customer-1', shown: 'Alice' },
    { name: 'bob', id: 'customer-2', shown: 'Bob' },
    // An id may have letters beyond ASCII, too.
    { name: 'zoe', id: 'zoë-3', shown: 'Zoë' },
  ].map((user) => [user.name, user]),
);
