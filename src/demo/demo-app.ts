import type { DemoStage } from './demo-stage.js';
import type { RunningServer } from './programs.js';

/** The app as a child of the demo. When somebody kills it with -9, it is started again, as any supervisor does. */
export class DemoApp {
  private server: RunningServer;

  private constructor(
    private readonly stage: DemoStage,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(stage: DemoStage, environment: Readonly<Record<string, string>>): Promise<DemoApp> {
    const app = new DemoApp(stage, environment);
    await app.run(environment);
    return app;
  }

  /** The same after a restart. */
  get url(): string {
    return this.server.url;
  }

  get processId(): number {
    return this.server.processId;
  }

  private async run(environment: Readonly<Record<string, string>>): Promise<void> {
    this.server = await this.stage.programs.start({
      name: 'Keyferry',
      file: 'main.js',
      env: environment,
      logFile: this.stage.logFile('app'),
      announces: 'message',
      whenKilled: () => {
        this.runAgain().catch((error: unknown) => {
          this.stage.fail(error);
        });
      },
    });
  }

  private async runAgain(): Promise<void> {
    const { report } = this.stage;
    report.line(`!          Keyferry (process ${this.processId}) was killed and is started again`);
    await this.run({ ...this.environment, PORT: new URL(this.url).port });
    report.line(`!          Keyferry is back as process ${this.processId}`);
  }
}
