import { localPath } from '../http/local-path.ts';
import { redirect } from '../http/reply.ts';
import { post } from '../http/route.ts';
import { setCookie } from '../http/cookies.ts';
import { parseTheme } from '../http/receive.ts';

const YEAR = 365 * 24 * 3600;

/** Works without JavaScript: the choice is a cookie, and the page comes back in it. */
export const themeRoutes = [
  post('/theme/', 'anyone', ({ form, secure }) => {
    const theme = parseTheme(form.fields.get('theme'));
    return redirect(localPath(form.fields.get('back')), [
      setCookie('theme', theme, secure, theme === 'auto' ? 0 : YEAR),
    ]);
  }),
];
