process.stdout.write(`${process.env.IMAGE} runs on ${process.env.NODE}\n`);
