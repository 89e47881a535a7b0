import { guarded, page, write, type RouteCheck } from './route-check.ts';

export const accounts: RouteCheck[] = [
  page('/login/', { text: 'Log in' }),
  write('/login/'),
  write('/logout/'),
  page('/accounts/create/', { text: 'type="password"' }),
  write('/accounts/create/'),
  guarded('/accounts/profile/'),
  write('/accounts/profile/'),
  write('/accounts/profile/password/'),
];
