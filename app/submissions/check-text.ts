import { isUtf8 } from 'node:buffer';
import type { Format } from '../documents/document.ts';

export interface Finding {
  severity: 'error' | 'warning' | 'notice';
  /** In the file; null: it is about the whole. */
  line: number | null;
  message: string;
}

const MB = 1024 * 1024;
const LIMITS: Record<Format, number> = { txt: 2 * MB, md: 2 * MB, xml: 3 * MB, pdf: 2 * MB };
const MAX_LINE = 120;
const MAX_FINDINGS = 50;

/** What is to be said about a file before a person looks at it. Nothing in it is executed, expanded or fetched. */
export function checkText(format: Format, bytes: Buffer): Finding[] {
  if (bytes.length > LIMITS[format]) {
    return [error(null, `The file is larger than ${LIMITS[format] / MB} MB.`)];
  }
  if (format === 'pdf')
    return bytes.subarray(0, 5).toString('latin1') === '%PDF-' ? [] : [error(1, 'This is not a PDF file.')];
  if (!isUtf8(bytes)) return [error(firstBadLine(bytes), 'The text is not UTF-8.')];
  const text = bytes.toString('utf8');
  if (text.trim() === '') return [error(null, 'The file is empty.')];
  const lines = text.split('\n');
  const findings = lines.flatMap((line, index) => checkLine(format, line, index + 1));
  if (format === 'xml') findings.push(...checkXml(lines));
  if (!/security considerations/i.test(text)) {
    findings.push({
      severity: 'warning',
      line: null,
      message: 'There is no section “Security Considerations”.',
    });
  }
  return shortened(findings);
}

function checkLine(format: Format, line: string, number: number): Finding[] {
  const findings: Finding[] = [];
  if (/[\u0000-\u0008\u000b\u000e-\u001f\u007f]/.test(line))
    findings.push(error(number, 'The line holds a control character.'));
  if (/[\u202a-\u202e\u2066-\u2069]/.test(line)) {
    findings.push(error(number, 'The line holds a character that reverses the direction of text.'));
  }
  if (format === 'txt' && line.length > MAX_LINE) {
    findings.push({
      severity: 'warning',
      line: number,
      message: `The line has ${line.length} characters; up to 72 read well.`,
    });
  }
  if (format === 'md' && /<(?!https?:|mailto:)[a-z!/]/i.test(line)) {
    findings.push({ severity: 'notice', line: number, message: 'HTML is shown as text, not rendered.' });
  }
  if (format === 'md' && /\]\(\s*(javascript|data|vbscript):/i.test(line)) {
    findings.push({
      severity: 'warning',
      line: number,
      message: 'The link goes nowhere that a page may lead to; it is shown as text.',
    });
  }
  return findings;
}

function checkXml(lines: string[]): Finding[] {
  const findings: Finding[] = [];
  if (!/^\uFEFF?\s*</.test(lines.join('\n').slice(0, 200)))
    findings.push(error(1, 'This is not an XML file.'));
  for (const [index, line] of lines.entries()) {
    if (/<!(DOCTYPE|ENTITY)/i.test(line))
      findings.push(error(index + 1, 'Document types and entities are not accepted.'));
  }
  return findings;
}

/** The first line up to whose end the bytes are no UTF-8. */
function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(10, start);
    const part = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!isUtf8(part)) return line;
    if (end === -1) break;
    start = end + 1;
  }
  return line;
}

function shortened(findings: Finding[]): Finding[] {
  const order = { error: 0, warning: 1, notice: 2 };
  const sorted = findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
  const rest = sorted.length - MAX_FINDINGS;
  if (rest <= 0) return sorted;
  return [
    ...sorted.slice(0, MAX_FINDINGS),
    { severity: 'notice', line: null, message: `${rest} more findings are not listed.` },
  ];
}

function error(line: number | null, message: string): Finding {
  return { severity: 'error', line, message };
}
