enum Kind {
  Small = 'small',
  Large = 'large',
}

export function label(n: number): string {
  return n > 3 ? Kind.Large : Kind.Small;
}
