enum Kind {
  Small = 'small',
  Large = 'large',
}

const limit = await Promise.resolve(3);

export function label(n: number): string {
  return n > limit ? Kind.Large : Kind.Small;
}
