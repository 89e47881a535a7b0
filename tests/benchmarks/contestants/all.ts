import type { Entry } from '../contestant.ts';
import { capistrano } from './capistrano.ts';
import { deployer } from './deployer.ts';
import { floor } from './floor.ts';
import { pm2Deploy } from './pm2-deploy.ts';
import { webhook } from './webhook.ts';

export const CONTESTANTS: readonly Entry[] = [floor, deployer, webhook, pm2Deploy, capistrano];
