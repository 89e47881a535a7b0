import { createRoutes } from './accounts/create.ts';
import { loginRoutes } from './accounts/login.ts';
import { profileRoutes } from './accounts/profile.ts';
import { adminRoutes } from './admin/routes.ts';
import { commentRoutes } from './comments/routes.ts';
import { deployRoutes } from './deploy/routes.ts';
import { documentNameRoutes, documentRoutes } from './documents/routes.ts';
import { personRoutes } from './groups/person.ts';
import { groupRoutes } from './groups/routes.ts';
import type { Route } from './http/route.ts';
import { assetRoutes } from './pages/assets.ts';
import { homeRoutes } from './pages/home.ts';
import { themeRoutes } from './pages/theme.ts';
import { submissionRoutes } from './submissions/routes.ts';

/** Everything that the application answers, in the order in which addresses are tried. */
export const routes: Route[] = [
  ...deployRoutes,
  ...assetRoutes,
  ...homeRoutes,
  ...themeRoutes,
  ...loginRoutes,
  ...createRoutes,
  ...profileRoutes,
  ...documentRoutes,
  ...commentRoutes,
  ...submissionRoutes,
  ...groupRoutes,
  ...personRoutes,
  ...adminRoutes,
  ...documentNameRoutes,
];
