// Answers of the API as values: floats, results of queries, refusals.
import { describe, expect, it } from 'vitest';
import { unwrap } from './envelope';
import { encodeParameters, refusal } from './http';
import { parseFloatText, parseResult } from './query';

describe('queries', () => {
  it('reads floats', () => {
    const check = (text: string, want: number) => expect(parseFloatText(text)).toBe(want);
    check('1.5', 1.5);
    check('1e+00', 1);
    check('+Inf', Infinity);
    check('-Inf', -Infinity);
    check('NaN', NaN);
    check('', NaN);
  });

  it('reads every kind of result', () => {
    expect(parseResult({ resultType: 'scalar', result: [1, '2'] })).toEqual({
      kind: 'samples',
      samples: [{ labels: {}, seconds: 1, value: 2 }],
    });
    expect(parseResult({ resultType: 'string', result: [1, 'a"b'] })).toEqual({
      kind: 'samples',
      samples: [{ labels: {}, seconds: 1, value: '"a\\"b"' }],
    });
    expect(
      parseResult({
        resultType: 'vector',
        result: [
          { metric: { job: 'a' }, value: [5, 'NaN'] },
          { metric: { job: 'b' }, histogram: [5, { count: '3', sum: '1.5' }] },
        ],
      }),
    ).toEqual({
      kind: 'samples',
      samples: [
        { labels: { job: 'a' }, seconds: 5, value: NaN },
        { labels: { job: 'b' }, seconds: 5, value: 'count 3, sum 1.5' },
      ],
    });
    expect(
      parseResult({
        resultType: 'matrix',
        result: [
          { metric: {}, values: [[1, '2'], [3, '+Inf']] },
          { metric: { a: 'b' }, histograms: [[1, { count: '1', sum: '1' }]] },
        ],
      }),
    ).toEqual({
      kind: 'series',
      series: [
        { labels: {}, points: [[1, 2], [3, Infinity]] },
        { labels: { a: 'b' }, points: [] },
      ],
      histogramCount: 1,
    });
  });

  it('takes the envelope off', () => {
    expect(unwrap<number>({ status: 'success', data: 1, warnings: ['w'] })).toEqual({ data: 1, warnings: ['w'], infos: [] });
    expect(() => unwrap('nonsense')).toThrow('no data');
  });
});

describe('requests', () => {
  it('writes lists as repeated parameters', () => {
    expect(encodeParameters({ a: '1 2', 'm[]': ['x', 'y'] }).toString()).toBe('a=1+2&m%5B%5D=x&m%5B%5D=y');
  });

  it('finds the message of a refusal in each form', () => {
    const check = (status: number, text: string, want: string, kind = '') => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        value = undefined;
      }
      const error = refusal(status, value, text);
      expect([error.message, error.kind]).toEqual([want, kind]);
    };
    check(400, '{"status":"error","errorType":"bad_data","error":"1:2: parse error: x"}', '1:2: parse error: x', 'bad_data');
    check(400, '"bad matcher"', 'bad matcher');
    check(422, '{"code":602,"message":"invalid"}', 'invalid');
    check(500, 'broken\nlong', 'broken');
    check(500, '', 'the server answered 500');
    check(401, '{"error":"x"}', 'You are not logged in. Reload the page to be asked for a user.', 'unauthorized');
  });
});
