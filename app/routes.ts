import { deployRoutes } from './deploy/routes.ts';
import { documentRoutes } from './documents/routes.ts';
import type { Route } from './http/route.ts';
import { assetRoutes } from './pages/assets.ts';
import { homeRoutes } from './pages/home.ts';
import { themeRoutes } from './pages/theme.ts';

/** Everything that the application answers, in the order in which addresses are tried. */
export const routes: Route[] = [
  ...deployRoutes,
  ...assetRoutes,
  ...homeRoutes,
  ...themeRoutes,
  ...documentRoutes,
];
