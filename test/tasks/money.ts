/** A task and the classes that it knows. */

export class Money {
  constructor(readonly amount: number) {}
  get text(): string {
    return `${this.amount} €`;
  }
}

export class Account {
  constructor(readonly money: Money) {}
}

export class Overdrawn extends Error {
  override readonly name = 'Overdrawn';
  constructor(readonly missing: Money) {
    super('overdrawn');
  }
}

/** Takes three. */
export function spend(account: Account): Account {
  if (!(account instanceof Account) || !(account.money instanceof Money)) throw new TypeError('no account');
  const { amount } = account.money;
  if (amount < 3) throw new Overdrawn(new Money(3 - amount));
  return new Account(new Money(amount - 3));
}
