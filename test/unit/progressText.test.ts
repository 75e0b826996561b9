// Progress bars in characters that take two columns, or several code units.
import { expect } from 'chai';
import stringWidth from 'string-width';
import { barText } from '../../src/internal/observe/progress/text.js';

describe('A progress bar', () => {
  const progress = { unit: 'values', done: 5, total: 10, elapsed: 1000 };

  for (const description of ['解析中', '👩‍👩‍👧 family', 'e\u0301te\u0301', 'plain', '解析'.repeat(40), '👩‍👩‍👧'.repeat(40)]) {
    it(`is no wider than the terminal, whatever characters it has: ${description.slice(0, 8)}`, () => {
      for (let columns = 1; columns < 120; columns++) {
        const text = barText({ ...progress, description }, columns, stringWidth);
        expect(stringWidth(text), text).to.be.at.most(Math.max(0, columns - 1));
      }
    });
  }

  it('has the same room for its bar beside a wide description as beside a narrow one of that width', () => {
    const bar = (description: string): string =>
      /[█░]+/.exec(barText({ ...progress, description }, 60, stringWidth))![0];
    expect(bar('解析')).to.equal(bar('abcd'));
  });

  it('cuts no character in two', () => {
    const text = barText({ ...progress, description: '👩‍👩‍👧'.repeat(40) }, 60, stringWidth);
    expect(text).to.match(/^(👩‍👩‍👧)+… /u);
  });
});
